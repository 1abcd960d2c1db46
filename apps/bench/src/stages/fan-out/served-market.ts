import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '@chart/servers'
import { type BenchProcess, costOf, startProcess } from '../../harness/bench-process.ts'
import { untilTrue } from '../../harness/until-true.ts'
import type { Heard, OpenStreams } from './client-process.ts'
import type { Market } from './market-process.ts'
import { type MeasuredServer, type ServerKind, startServer } from './measured-server.ts'
import type { Received } from './tally.ts'

export interface MarketOptions {
  readonly symbols: number
  readonly profileDir?: string | undefined
}

export type Listening = Pick<OpenStreams, 'streams' | 'streamsPerConnection' | 'symbolsPerStream' | 'reads'>

/** What has happened between two moments. */
export interface Result extends Received {
  readonly seconds: number
  readonly trades: number
  /** CPU of the server. */
  readonly serverCpuUs: number
  readonly serverRssBytes: number
}

const INTERVAL = '1m'
/** A machine where it takes longer is too busy to measure on. */
const BEGIN_MAX_MS = 60_000

/** A server under a market, with everything that belongs to it in processes of its own. It costs next to nothing while nothing trades. */
export class ServedMarket implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly #symbols: readonly string[]
  readonly #server: MeasuredServer
  readonly #market: BenchProcess

  private constructor(
    stack: AsyncDisposableStack,
    symbols: readonly string[],
    server: MeasuredServer,
    market: BenchProcess,
  ) {
    this.#stack = stack
    this.#symbols = symbols
    this.#server = server
    this.#market = market
  }

  static async open(kind: ServerKind, options: MarketOptions): Promise<ServedMarket> {
    await using stack = new AsyncDisposableStack()
    const { url: redisUrl } = stack.adopt(await startRedis(), redis => redis.close())
    const symbols = Array.from({ length: options.symbols }, (_, index) => `SYM${index}USDT`)
    const market = stack.use(startProcess(new URL('market-process.ts', import.meta.url)))
    const tags = await market.ask<string[]>('register', { redisUrl, symbols, interval: INTERVAL } satisfies Market)
    const server = stack.use(await startServer(kind, { ...options, redisUrl, tags, interval: INTERVAL }))
    return new ServedMarket(stack.move(), symbols, server, market)
  }

  /** Clients in a process of their own; every stream has begun. */
  async listen(listening: Listening): Promise<BenchProcess> {
    const clients = startProcess(new URL('client-process.ts', import.meta.url))
    const { port } = this.#server
    await clients.ask('open', { ...listening, port, symbols: this.#symbols, interval: INTERVAL } satisfies OpenStreams)
    const hasBegun = async () => {
      const { begun, ended } = await clients.ask<Heard>('heard')
      if (ended > 0) throw new Error(`${ended} streams or connections have ended`)
      return begun === listening.streams
    }
    await untilTrue(hasBegun, 'every stream has begun', BEGIN_MAX_MS)
    return clients
  }

  /** From now on, over all symbols together. */
  async trade(tradesPerSecond: number): Promise<void> {
    await this.#market.ask('trade', { tradesPerSecond })
  }

  /** Ends trading. Gives the trades so far. */
  async stop(): Promise<number> {
    await this.#market.ask('stop')
    return await this.made()
  }

  made(): Promise<number> {
    return this.#market.ask<number>('made')
  }

  get rssBytes(): number {
    return costOf(this.#server.pid).rssBytes
  }

  /**
   * What happens in `seconds`.
   * @throws Error when a stream ends
   */
  async measure(clients: BenchProcess, seconds: number): Promise<Result> {
    const before = await this.#now()
    await clients.ask('take')
    await sleep(seconds * 1_000)
    const received = await clients.ask<Received>('take')
    const after = await this.#now()
    const { ended } = await clients.ask<Heard>('heard')
    if (ended > 0) throw new Error(`${ended} streams or connections have ended`)
    return {
      ...received,
      seconds: (after.time - before.time) / 1_000,
      trades: after.made - before.made,
      serverCpuUs: after.server.cpuUs - before.server.cpuUs,
      serverRssBytes: after.server.rssBytes,
    }
  }

  async #now() {
    return { made: await this.made(), server: costOf(this.#server.pid), time: performance.now() }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
