import { execFile } from 'node:child_process'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { searchPath } from './config.ts'
import { ServerStartError } from './errors.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import type { PostgresUser } from './postgres-user.ts'

const run = promisify(execFile)

/**
 * What PostgreSQL's programs see of the environment. PGPORT, PGOPTIONS and their like, meant for somebody else's
 * database, would change ours.
 */
export const postgresEnv = (): NodeJS.ProcessEnv => ({ PATH: searchPath(), LC_ALL: 'C', TZ: 'UTC' })

/** A data directory that `binaries` can serve: the one that is there, or a new one. */
export async function prepareData(
  dataDir: string,
  options: { readonly binaries: PostgresBinaries; readonly user: PostgresUser; readonly fsync: boolean },
): Promise<void> {
  const { binaries, user } = options
  const found = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(() => undefined)
  if (found === undefined) return createData(dataDir, options)
  if (found.trim() !== binaries.version) {
    throw new ServerStartError(
      `${dataDir} was written by PostgreSQL ${found.trim()} and this is ${binaries.version}: move the folder away, or set DATABASE_URL to a server of that version`,
    )
  }
  await clearPid(dataDir)
  // A folder that was copied, or made before by another user.
  if (user.uid !== undefined) await chown(dataDir, user.uid, user.uid)
}

/**
 * initdb writes beside the final place and is renamed when it is complete, so that a start which was cut short
 * leaves nothing that a later start would take for a database.
 */
async function createData(
  dataDir: string,
  { binaries, user, fsync }: { binaries: PostgresBinaries; user: PostgresUser; fsync: boolean },
): Promise<void> {
  const unfinished = `${dataDir}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  if (user.uid !== undefined) await chown(unfinished, user.uid, user.uid)
  const [command, ...args] = [
    ...user.prefix,
    binaries.initdb,
    ...['--pgdata', unfinished, '--username', 'postgres', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C'],
    ...(fsync ? [] : ['--no-sync']),
  ]
  try {
    await run(command!, args, { env: postgresEnv(), cwd: '/' })
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string }
    const lines = (stderr || message).trim().split('\n').slice(-3).join(' | ')
    throw new ServerStartError(`PostgreSQL cannot make its data directory ${dataDir}: ${lines}`, { cause })
  }
  await rename(unfinished, dataDir)
}

/** Files beside the data that PostgreSQL alone can read: it refuses a key that others can. */
export async function writeOwned(
  dataDir: string,
  files: Readonly<Record<string, string>>,
  user: PostgresUser,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(dataDir, name)
    await writeFile(file, text, { mode: 0o600 })
    if (user.uid !== undefined) await chown(file, user.uid, user.uid)
  }
}

/**
 * After SIGKILL the file of the dead server stays, and PostgreSQL refuses to start when its process number has been
 * given to another process meanwhile, as happens soon in containers. The caller has made sure that no server of ours
 * runs here (server-record.ts). The file also names the shared memory by which PostgreSQL notices backends that
 * outlived their server, so it is not removed: only the number becomes that of the starting process, which PostgreSQL
 * knows to be no rival.
 */
async function clearPid(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const [, ...rest] = text.split('\n')
  if (rest.length === 0) await rm(file)
  else await writeFile(file, [process.pid, ...rest].join('\n'))
}
