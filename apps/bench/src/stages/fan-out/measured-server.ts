import { startProcess } from '../../harness/bench-process.ts'
import { untilTrue } from '../../harness/until-true.ts'
import { AppProcess } from '../../service/app-process.ts'
import type { ServeHttp2 } from './http2-process.ts'

/**
 * `edge`: the very program that runs in production. `naive`: what one would write first. The others are floors: `turn` writes each stream
 * once a turn of the event loop, as the edge does, `each` once for each update, as the naive one does.
 */
export type ServerKind = 'edge' | 'naive' | 'http2-turn' | 'http2-each'

/** A server of StreamBars in a process of its own. */
export interface MeasuredServer extends AsyncDisposable {
  readonly pid: number
  readonly port: number
}

export interface ServerOptions {
  readonly redisUrl: string
  readonly tags: readonly string[]
  readonly interval: string
  /** Where the edge leaves a profile of its CPU when it ends. */
  readonly profileDir?: string | undefined
}

/** Live bars need no PostgreSQL, and nothing here asks for others: there is none. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none'
/** A machine where the edge takes longer to begin is too busy to measure on. */
const START_MAX_MS = 60_000

export async function startServer(kind: ServerKind, options: ServerOptions): Promise<MeasuredServer> {
  if (kind === 'edge') return await startEdge(options)
  if (kind === 'naive') return await startPeer('naive-process.ts', options)
  return await startPeer('http2-process.ts', { ...options, perTurn: kind === 'http2-turn' } satisfies ServeHttp2)
}

async function startPeer(file: string, argument: object): Promise<MeasuredServer> {
  const server = startProcess(new URL(file, import.meta.url))
  const port = await server.ask<number>('serve', argument)
  return { ...server, port }
}

/** With its defaults, but for bounds that these loads exceed: a call of all symbols, and all clients at one address. */
async function startEdge({ redisUrl, interval, profileDir }: ServerOptions): Promise<MeasuredServer> {
  const places = { REDIS_URL: redisUrl, DATABASE_URL: NO_DATABASE, GRPC_HOST: '127.0.0.1', GRPC_PORT: '0' }
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const bounds = {
    STREAM_SYMBOLS_MAX: '10000',
    STREAMS_PER_KEY: '10000',
    NEW_STREAMS_PER_SECOND: '10000',
    GRPC_CONNECTIONS_PER_ADDRESS: '10000',
    GRPC_ADDRESS_BURST: '100000',
  }
  const env = { ...places, INTERVALS: interval, ...bounds }
  const app = new AppProcess('edge', 'edge', env, profile)
  const port = () => {
    app.mustRun()
    const line = app.output.split('\n').find(one => one.includes('gRPC listening'))
    return /"port":(\d+)/.exec(line ?? '')?.[1]
  }
  await untilTrue(() => port() !== undefined, 'the edge listens', START_MAX_MS)
  return {
    pid: app.pid,
    port: Number(port()),
    async [Symbol.asyncDispose]() {
      // At once, but for a profile, which only a process that ends by itself writes.
      if (profileDir === undefined) app.kill('SIGKILL')
      await app[Symbol.asyncDispose]()
    },
  }
}
