import { type PostgresServer, startPostgres } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Migration,
  migrate,
  type Postgres,
  readMigrations,
  requireCurrentSchema,
  schemaIsCurrent,
} from '../src/index.ts'
import { migrationOf } from '../src/migrate.ts'
import { freshDatabase, openTest } from './fresh-database.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ fsync: false })
})
afterAll(() => server.close())

function step(number: number, sql: string): Migration {
  return migrationOf(number, `000${number}-step`, sql)
}

async function tablesOf(postgres: Postgres): Promise<string[]> {
  const { rows } = await postgres.query<{ name: string }>({
    text: `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  })
  return rows.map(row => row.name)
}

test('the files of this release bring an empty database up to date, and a second run does nothing', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  expect(await schemaIsCurrent(postgres)).toBe(false)
  await expect(requireCurrentSchema(postgres)).rejects.toThrow(
    /lacks 0001-bars, 0002-unverified-bars, 0003-corrected-bars; run `npm run migrate/,
  )
  expect(await migrate(postgres)).toEqual(readMigrations().map(({ name }) => name))
  expect(await schemaIsCurrent(postgres)).toBe(true)
  await requireCurrentSchema(postgres)
  expect(await migrate(postgres)).toEqual([])
})

test('runners that start together take turns: every step is done once', async () => {
  const url = await freshDatabase(server.url)
  const runners = await Promise.all(Array.from({ length: 4 }, () => openTest(url)))
  // Not repeatable on purpose: done twice, the second would fail. The sleep makes them meet.
  const steps = [1, 2, 3].map(number => step(number, `CREATE TABLE t${number} (a int); SELECT pg_sleep(0.05);`))
  const applied = await Promise.all(runners.map(postgres => migrate(postgres, steps)))
  expect(applied.flat().sort()).toEqual(steps.map(({ name }) => name))
  expect(await tablesOf(runners[0]!)).toEqual(['schema_migrations', 't1', 't2', 't3'])
  await Promise.all(runners.map(postgres => postgres[Symbol.asyncDispose]()))
})

test('a step that fails leaves the steps before it and nothing of itself', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  const steps = [step(1, 'CREATE TABLE t1 (a int)'), step(2, 'CREATE TABLE t2 (a int); SELECT 1/0')]
  await expect(migrate(postgres, steps)).rejects.toThrow('migration 0002-step failed: division by zero')
  expect(await tablesOf(postgres)).toEqual(['schema_migrations', 't1'])
  expect(await migrate(postgres, [steps[0]!, step(2, 'CREATE TABLE t2 (a int)')])).toEqual(['0002-step'])
})

test('a step that was edited after it was applied is refused', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  await migrate(postgres, [step(1, 'CREATE TABLE t1 (a int)')])
  const edited = [step(1, 'CREATE TABLE t1 (b int)')]
  await expect(migrate(postgres, edited)).rejects.toThrow(/0001-step was edited after it was applied/)
  await expect(schemaIsCurrent(postgres, edited)).rejects.toThrow(/edited/)
})

test('a database that is newer than the program is refused and left alone', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  const steps = [step(1, 'CREATE TABLE t1 (a int)'), step(2, 'CREATE TABLE t2 (a int)')]
  await migrate(postgres, steps)
  await expect(migrate(postgres, steps.slice(0, 1))).rejects.toThrow(/0002-step, which is newer than this program/)
  await expect(requireCurrentSchema(postgres, steps.slice(0, 1))).rejects.toThrow(/newer/)
})

test('a program goes back to a release before a compatible step: it works, and migrating does nothing', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  const steps = [
    step(1, 'CREATE TABLE t1 (a int)'),
    step(2, '-- compatible: a column more\nALTER TABLE t1 ADD COLUMN b int'),
  ]
  await migrate(postgres, steps)
  await requireCurrentSchema(postgres, steps.slice(0, 1))
  expect(await migrate(postgres, steps.slice(0, 1))).toEqual([])
  await migrate(postgres, [...steps, step(3, 'ALTER TABLE t1 DROP COLUMN a')])
  await expect(requireCurrentSchema(postgres, steps.slice(0, 1))).rejects.toThrow(/0003-step, which is newer/)
})

test('a table of steps as the first release made it is read, and completed by the next run', async () => {
  await using postgres = await openTest(await freshDatabase(server.url))
  const steps = [step(1, 'CREATE TABLE t1 (a int)'), step(2, 'CREATE TABLE t2 (a int)')]
  await migrate(postgres, steps.slice(0, 1))
  await postgres.query({ text: 'ALTER TABLE schema_migrations DROP COLUMN compatible' })
  expect(await schemaIsCurrent(postgres, steps)).toBe(false)
  expect(await migrate(postgres, steps)).toEqual(['0002-step'])
  await requireCurrentSchema(postgres, steps)
})

test('a step may take longer than the time limit of ordinary statements', async () => {
  const { openPostgres } = await import('../src/index.ts')
  const url = await freshDatabase(server.url)
  await using postgres = await openPostgres({ url, applicationName: 'test', statementTimeoutMs: 100 })
  expect(await migrate(postgres, [step(1, 'SELECT pg_sleep(0.5)')])).toEqual(['0001-step'])
})
