import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { closeRedis, openRedis } from '@chart/redis'
import { type BenchProcess, costOf, endProcess, startProcess } from '../../harness/bench-process.ts'
import type { Heard, OpenStreams } from './client-process.ts'
import type { Market } from './market-process.ts'
import type { Received } from './tally.ts'

export type ServerKind = 'edge' | 'naive'

/** What is measured. */
export interface Load {
  readonly streams: number
  readonly streamsPerConnection: number
  readonly symbols: number
  readonly tradesPerSecond: number
}

export interface Servers {
  readonly redisUrl: string
  readonly databaseUrl: string
}

export interface Result extends Received {
  readonly seconds: number
  readonly trades: number
  /** Streams and connections that ended, which none should. */
  readonly ended: number
  /** CPU of each process, in seconds a second. */
  readonly cores: { readonly server: number; readonly clients: number; readonly market: number }
  readonly serverRssBytes: number
}

export const INTERVAL = '1m'
/** How often a server that begins, and clients that wait for their first update, are looked at. */
const LOOK_MS = 20
/** Trades a second while the streams begin: how they do that is not measured. */
const JOINING_RATE = 1_000
/** A machine where it takes longer is too busy to measure anything. */
const START_MAX_MS = 60_000
const MAIN = fileURLToPath(new URL('../../../../edge/src/main.ts', import.meta.url))

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** A server under a market, with everything that belongs to it in processes of its own. */
export class Stage implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly symbols: readonly string[]
  readonly serverPid: number
  readonly #port: number
  readonly #market: BenchProcess
  readonly #clients: BenchProcess

  private constructor(
    stack: AsyncDisposableStack,
    symbols: readonly string[],
    server: { port: number; pid: number },
    market: BenchProcess,
    clients: BenchProcess,
  ) {
    this.#stack.use(stack)
    this.symbols = symbols
    this.serverPid = server.pid
    this.#port = server.port
    this.#market = market
    this.#clients = clients
  }

  static async open(kind: ServerKind, servers: Servers, symbolCount: number): Promise<Stage> {
    await using stack = new AsyncDisposableStack()
    const redis = await openRedis(servers.redisUrl, 'bench')
    await redis.flushall()
    closeRedis(redis)
    const symbols = Array.from({ length: symbolCount }, (_, index) => `SYM${index}USDT`)
    const market = stack.use(startProcess(new URL('market-process.ts', import.meta.url)))
    const clients = stack.use(startProcess(new URL('client-process.ts', import.meta.url)))
    const { redisUrl } = servers
    const tags = await market.ask<string[]>('register', { redisUrl, symbols, interval: INTERVAL } satisfies Market)
    const server = kind === 'edge' ? await startEdge(stack, servers) : await startNaive(stack, redisUrl, tags)
    return new Stage(stack.move(), symbols, server, market, clients)
  }

  /** Begins to trade; returns so many seconds after every stream has been sent something. */
  async begin(load: Load, warmUpSeconds: number): Promise<void> {
    const { streams, streamsPerConnection, tradesPerSecond } = load
    await this.openStreams({ streams, streamsPerConnection, reads: true })
    await this.#market.ask('trade', { tradesPerSecond: Math.min(tradesPerSecond, JOINING_RATE) })
    await untilTrue(
      async () => (await this.#clients.ask<Heard>('heard')).heard === streams,
      'an update on every stream',
    )
    await this.#market.ask('trade', { tradesPerSecond })
    await sleep(warmUpSeconds * 1_000)
  }

  /** Clients of a process of their own that never give credit for what they are sent. */
  async openNeverReading(streams: number): Promise<BenchProcess> {
    const clients = this.#stack.use(startProcess(new URL('client-process.ts', import.meta.url)))
    await this.openStreams({ streams, streamsPerConnection: 1, reads: false }, clients)
    return clients
  }

  openStreams(options: Pick<OpenStreams, 'streams' | 'streamsPerConnection' | 'reads'>, clients = this.#clients) {
    const more = { port: this.#port, symbols: this.symbols, interval: INTERVAL }
    return clients.ask<void>('open', { ...options, ...more } satisfies OpenStreams)
  }

  /** What happens in `seconds`. */
  async measure(seconds: number): Promise<Result> {
    const before = await this.#now()
    await this.#clients.ask('take')
    await sleep(seconds * 1_000)
    const received = await this.#clients.ask<Received>('take')
    const after = await this.#now()
    const { ended } = await this.#clients.ask<Heard>('heard')
    const lastedUs = (after.time - before.time) * 1_000
    const coresOf = (name: 'server' | 'clients' | 'market') => (after[name].cpuUs - before[name].cpuUs) / lastedUs
    return {
      ...received,
      seconds: lastedUs / 1_000_000,
      trades: after.made - before.made,
      ended,
      cores: { server: coresOf('server'), clients: coresOf('clients'), market: coresOf('market') },
      serverRssBytes: after.server.rssBytes,
    }
  }

  async #now() {
    return {
      made: await this.#market.ask<number>('made'),
      server: costOf(this.serverPid),
      clients: costOf(this.#clients.pid),
      market: costOf(this.#market.pid),
      time: performance.now(),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

async function startNaive(stack: AsyncDisposableStack, redisUrl: string, tags: readonly string[]) {
  const server = stack.use(startProcess(new URL('naive-server.ts', import.meta.url)))
  return { pid: server.pid, port: await server.ask<number>('serve', { redisUrl, tags, interval: INTERVAL }) }
}

/** The very program that runs in production, with its defaults. */
async function startEdge(stack: AsyncDisposableStack, { redisUrl, databaseUrl }: Servers) {
  const settings = { INTERVALS: INTERVAL, GRPC_HOST: '127.0.0.1', GRPC_PORT: '0', HEALTH_HOST: '127.0.0.1' }
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...settings, HEALTH_PORT: '0', REDIS_URL: redisUrl, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  stack.defer(() => endProcess(child))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-10_000)
  })
  const port = () => {
    if (child.exitCode !== null) throw new Error(`the edge has ended with ${child.exitCode}:\n${output}`)
    const line = output.split('\n').find(one => one.includes('gRPC listening'))
    return /"port":(\d+)/.exec(line ?? '')?.[1]
  }
  await untilTrue(() => port() !== undefined, 'the edge listens')
  return { pid: child.pid!, port: Number(port()) }
}

async function untilTrue(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + START_MAX_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${START_MAX_MS} ms: ${what}`)
    await sleep(LOOK_MS)
  }
}
