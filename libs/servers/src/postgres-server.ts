import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerStartError } from './errors.ts'
import { freePort } from './free-port.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { postgresEnv, prepareData, writeOwned } from './postgres-data.ts'
import { askPostgres } from './postgres-ready.ts'
import { postgresUser } from './postgres-user.ts'
import { bringUp, runServer, type Server } from './server.ts'
import { claimFolder, releaseFolder } from './server-record.ts'
import { spawnBound } from './spawn-bound.ts'

export type PostgresOptions = {
  /** Where the data (`data/`) and the log are kept; without it a temporary folder that `close` removes. */
  readonly dir?: string
  /** 0 or absent: any free one. */
  readonly port?: number
  /** Off for tests: nothing is lost by SIGKILL of the server, only by the machine going down. */
  readonly fsync?: boolean
  /** Further settings, `name: value`, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** TLS besides plain text, with this certificate and key as PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /**
   * Lines of pg_hba.conf in the place of trust for everybody. The first that fits decides; `postgres` must be let in from 127.0.0.1
   * without a password, since that is how we see that the server is there.
   */
  readonly hba?: readonly string[]
}

export type PostgresServer = Server

const triesMax = 5
/** How long backends of a server that was killed may take to notice. */
const orphanBackendsMs = 15_000

/** Starts a PostgreSQL on the loopback interface, database and user `postgres`; resolves when one can log in. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = postgresUser()
  const binaries = await findPostgresBinaries()
  const isTemporary = options.dir === undefined
  const fsync = options.fsync ?? true
  const dir = isTemporary ? await mkdtemp(join(tmpdir(), 'chart-postgres-')) : resolve(options.dir!)
  const dataDir = join(dir, 'data')
  const logFile = join(dir, 'postgres.log')
  const release = () => (isTemporary ? rm(dir, { recursive: true, force: true }) : releaseFolder(dir))
  await mkdir(dir, { recursive: true })
  await claimFolder(dir)
  try {
    for (let tries = 1; ; tries++) {
      const port = options.port || (await freePort())
      try {
        return await startOn(port)
      } catch (error) {
        if (options.port || !saysInLog(error, 'Address already in use') || tries === triesMax) throw error
      }
    }
  } catch (error) {
    await release()
    throw error
  }

  function startOn(port: number): Promise<PostgresServer> {
    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      // A socket's path may have 107 letters, which a folder of somebody's project easily passes.
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_checkpoints: 'off',
      ...(fsync ? {} : { fsync: 'off', full_page_writes: 'off' }),
      ...(options.tls && {
        ssl: 'on',
        ssl_cert_file: join(dataDir, 'tls.crt'),
        ssl_key_file: join(dataDir, 'tls.key'),
      }),
      ...(options.hba && { hba_file: join(dataDir, 'our_hba.conf') }),
      ...options.settings,
    }
    const files = {
      ...(options.tls && { 'tls.crt': options.tls.cert, 'tls.key': options.tls.key }),
      ...(options.hba && { 'our_hba.conf': `${options.hba.join('\n')}\n` }),
    }
    const [command, ...args] = [
      ...user.prefix,
      ...[binaries.postgres, '-D', dataDir],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]
    const launchOnce = async () => {
      await prepareData(dataDir, { binaries, user, fsync })
      await writeOwned(dataDir, files, user)
      const log = openSync(logFile, 'w')
      const child = spawnBound(command!, args, {
        cwd: '/',
        env: postgresEnv(),
        stdio: ['ignore', log, log],
        politeSignal: 'SIGINT',
      })
      closeSync(log)
      await bringUp('postgres', child, { dir, logFile, ask: () => askPostgres(port) })
      return child
    }
    const launch = async () => {
      const deadline = Date.now() + orphanBackendsMs
      while (true) {
        try {
          return await launchOnce()
        } catch (error) {
          if (!saysInLog(error, 'pre-existing shared memory block') || Date.now() > deadline) throw error
          await sleep(100)
        }
      }
    }
    // SIGINT is "fast": it ends the sessions and writes a checkpoint; SIGQUIT is "immediate", with recovery at the next start.
    const stopSignals = ['SIGINT', 'SIGQUIT'] as const
    return runServer({
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      port,
      dir,
      logFile,
      launch,
      stopSignals,
      release,
    })
  }
}

function saysInLog(error: unknown, words: string): boolean {
  return error instanceof ServerStartError && error.message.includes(words)
}
