import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Client } from 'pg'
import { reasonOf } from './errors.ts'
import type { Postgres } from './postgres.ts'

/** One numbered step of the schema. Steps only go forward; one that was applied anywhere is never edited again. */
export interface Migration {
  readonly number: number
  /** File name without its ending, `0001-bars`. */
  readonly name: string
  readonly sql: string
  /** SHA-256 of the SQL: tells whether the step that was applied is the one that we know. */
  readonly checksum: string
  /** A program that does not know this step works with it: its first line is `-- compatible`. So one may go back by a release. */
  readonly compatible: boolean
}

/** The schema cannot be brought up to date, or does not belong to this program. The message says what to do. */
export class MigrationError extends Error {
  override name = 'MigrationError'
}

/** Advisory lock that only migrations take: "bars" as a number. */
const LOCK_KEY = 0x62617273
/** Another runner may be at a long step; a Job in Kubernetes is tried again after this. */
const LOCK_TIMEOUT_MS = 60_000

const FOLDER = new URL('../sql/', import.meta.url)
const COMPATIBLE = /^-- compatible\b/
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

/** The migrations of this release, in order. @throws MigrationError when their numbers are not 1, 2, 3, … */
export function readMigrations(folder: URL = FOLDER): readonly Migration[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.sql'))
  return files.sort().map((file, index) => {
    const number = Number(FILE_NAME.exec(file)?.[1])
    if (number !== index + 1) throw new MigrationError(`${file} should be migration number ${index + 1}`)
    const sql = readFileSync(new URL(file, folder), 'utf8')
    return migrationOf(number, file.slice(0, -'.sql'.length), sql)
  })
}

/** The step that a file of this SQL is. */
export function migrationOf(number: number, name: string, sql: string): Migration {
  const checksum = createHash('sha256').update(sql).digest('hex')
  return { number, name, sql, checksum, compatible: COMPATIBLE.test(sql) }
}

/**
 * Brings the schema up to date and gives the names of the steps that it took. Each step is one transaction that begins
 * with the lock, so two runners take turns, a crash leaves whole steps, and a pooler in front changes nothing.
 * @throws MigrationError when a step fails, was edited after it was applied, or is newer than this program
 */
export async function migrate(postgres: Postgres, migrations = readMigrations()): Promise<string[]> {
  return await postgres.withConnection(async connection => {
    const applied: string[] = []
    for (;;) {
      const name = await applyNext(connection, migrations)
      if (name === undefined) return applied
      applied.push(name)
    }
  })
}

async function applyNext(connection: Client, migrations: readonly Migration[]): Promise<string | undefined> {
  await connection.query('BEGIN')
  try {
    await connection.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await connection.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY])
    await connection.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`)
    await connection.query(
      `ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS compatible boolean NOT NULL DEFAULT false`,
    )
    const { rows } = await connection.query<Recorded>(RECORDED)
    const next = pendingOf(migrations, rows)[0]
    if (next !== undefined) {
      await connection.query(next.sql).catch(error => {
        throw new MigrationError(`migration ${next.name} failed: ${reasonOf(error)}`, { cause: error })
      })
      await connection.query(INSERT, [next.number, next.name, next.checksum, next.compatible])
    }
    await connection.query('COMMIT')
    return next?.name
  } catch (error) {
    // A connection that is gone has rolled back by itself.
    await connection.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/**
 * True when every migration is applied, false when some are not yet.
 * @throws MigrationError when the schema is another than this program's
 */
export async function schemaIsCurrent(postgres: Postgres, migrations = readMigrations()): Promise<boolean> {
  return (await pendingMigrations(postgres, migrations)).length === 0
}

/**
 * For the start of a service.
 * @throws MigrationError with one clear line unless the schema is this program's
 */
export async function requireCurrentSchema(postgres: Postgres, migrations = readMigrations()): Promise<void> {
  const pending = await pendingMigrations(postgres, migrations)
  if (pending.length === 0) return
  const names = pending.map(({ name }) => name).join(', ')
  throw new MigrationError(
    `the schema of ${postgres.place} lacks ${names}; run \`npm run migrate -w @chart/persister\` with the same DATABASE_URL`,
  )
}

async function pendingMigrations(postgres: Postgres, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const { rows } = await postgres.query<{ exists: boolean }>({
    text: `SELECT to_regclass('schema_migrations') IS NOT NULL AS exists`,
  })
  if (!rows[0]?.exists) return migrations
  const recorded = await postgres.query<Recorded>({ text: RECORDED })
  return pendingOf(migrations, recorded.rows)
}

type Recorded = Pick<Migration, 'number' | 'name' | 'checksum' | 'compatible'>
// By way of the row as a whole, since a table that the first release made lacks the column until somebody migrates.
const RECORDED = `SELECT number, name, checksum, coalesce((to_jsonb(step) ->> 'compatible')::boolean, false) AS compatible
  FROM schema_migrations AS step ORDER BY number`
const INSERT = 'INSERT INTO schema_migrations (number, name, checksum, compatible) VALUES ($1, $2, $3, $4)'

/** The migrations that are not recorded. @throws MigrationError when a recorded one is not ours, and not one that we work with unknown */
function pendingOf(migrations: readonly Migration[], recorded: readonly Recorded[]): readonly Migration[] {
  for (const row of recorded) {
    const known = migrations[row.number - 1]
    if (known === undefined) {
      if (row.compatible) continue
      throw new MigrationError(
        `the database has migration ${row.name}, which is newer than this program; run its release`,
      )
    }
    if (known.checksum !== row.checksum) {
      throw new MigrationError(
        `migration ${row.name} was edited after it was applied (${row.checksum.slice(0, 8)} is recorded, the file has ` +
          `${known.checksum.slice(0, 8)}); restore the file and put the change into a new one`,
      )
    }
  }
  return migrations.slice(recorded.length)
}
