import { startRedisProcess } from './redis-process.ts'
import type { Server } from './server.ts'

export type RedisOptions = {
  /** Where the data and the log are kept; without it a temporary folder that `close` removes. */
  readonly dir?: string
  /** 0 or absent: any free one. */
  readonly port?: number
  /** Keep the data over a restart: append-only file, written out every second. */
  readonly appendOnly?: boolean
  /** Further arguments of redis-server; the last of a name wins. */
  readonly args?: readonly string[]
}

export type RedisServer = Server

/** Starts a Redis on the loopback interface; resolves when it answers. */
export function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return startRedisProcess({
    dir: options.dir,
    port: options.port,
    argsOf: (port, dir) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'],
      // No snapshots; noeviction because every key of ours is needed: better an error than a missing bar.
      ...['--save', '', '--maxmemory-policy', 'noeviction'],
      ...['--appendonly', options.appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec'],
      ...(options.args ?? []),
    ],
  })
}
