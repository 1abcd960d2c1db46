import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { askSocket } from './ask-socket.ts'
import { ServerStartError } from './errors.ts'
import { findCommand } from './find-command.ts'
import { freePort } from './free-port.ts'
import { howToInstallRedis } from './install-redis.ts'
import { bringUp, type Readiness, runServer, type Server } from './server.ts'
import { claimFolder, releaseFolder } from './server-record.ts'
import { spawnBound } from './spawn-bound.ts'

export type RedisProcessOptions = {
  /** Where the data and the log are kept; without it a temporary folder that `close` removes. */
  readonly dir?: string | undefined
  /** 0 or absent: any free one. */
  readonly port?: number | undefined
  /** Arguments of redis-server, once the port and the folder are known. */
  readonly argsOf: (port: number, dir: string) => readonly string[] | Promise<readonly string[]>
}

/** How often another port is tried when somebody took ours between choosing and listening. */
const portTriesMax = 5

/** Starts a redis-server in whatever role its arguments say, on the loopback interface; resolves when it answers. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<Server> {
  const program = findCommand('redis-server')
  if (program === undefined) throw new ServerStartError(`redis-server is not on the PATH: ${howToInstallRedis()}`)

  const dir = options.dir === undefined ? await mkdtemp(join(tmpdir(), 'chart-redis-')) : resolve(options.dir)
  const release = () => (options.dir === undefined ? rm(dir, { recursive: true, force: true }) : releaseFolder(dir))
  await mkdir(dir, { recursive: true })
  await claimFolder(dir)
  try {
    for (let tries = 1; ; tries++) {
      const port = options.port || (await freePort())
      try {
        return await startOn(port)
      } catch (error) {
        const isTaken = error instanceof ServerStartError && error.message.includes('Address already in use')
        if (options.port || !isTaken || tries === portTriesMax) throw error
      }
    }
  } catch (error) {
    await release()
    throw error
  }

  async function startOn(port: number): Promise<Server> {
    const logFile = join(dir, 'redis.log')
    const args = await options.argsOf(port, dir)
    const launch = async () => {
      // A new file at each start, so that the log of a long life is bounded by the restarts of a machine.
      const log = openSync(logFile, 'w')
      const child = spawnBound(program!, args, { cwd: dir, stdio: ['ignore', log, log] })
      closeSync(log)
      await bringUp('redis-server', child, { dir, logFile, ask: () => askRedis(port, child.pid) })
      return child
    }
    return runServer({
      url: `redis://127.0.0.1:${port}`,
      port,
      dir,
      logFile,
      launch,
      stopSignals: ['SIGTERM'],
      release,
    })
  }
}

/**
 * PING alone is not enough: a stranger who took the port between our choosing and Redis listening would answer it as
 * well. INFO names the process, and is answered also while the data are read back.
 */
async function askRedis(port: number, pid: number | undefined): Promise<Readiness> {
  const answer = await askSocket(port, Buffer.from('INFO server\r\nPING\r\n'), text =>
    /\r\n(\+PONG|-[^\r]*)\r\n$/.test(text.toString('latin1')),
  )
  const text = answer.toString('latin1')
  if (!text.includes(`process_id:${pid}\r\n`)) return 'absent'
  return text.endsWith('+PONG\r\n') ? 'ready' : 'loading'
}
