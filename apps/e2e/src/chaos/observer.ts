import { setTimeout as sleep } from 'node:timers/promises'
import { type BarClient, barOfMessage, openBarClient, timestampOfTime } from '@chart/grpc'
import { type Interval, intervalOf } from '@chart/market'
import { ToldBars } from './told-bars.ts'

/** After a call that ended. */
const CALL_AGAIN_MS = 200
/** A call that can be served is joined within this time. */
const JOINED_MS = 5_000
/** How often holes are looked for. */
const FILL_EVERY_MS = 1_000
/** A bar that has ended this long ago, and was not told, is fetched: the stream may yet tell it before. */
const FILL_AFTER_MS = 5_000
/** Bars before a hole that are fetched again, since they may have been corrected while no call heard it: as many as can be restated. */
const RESTATABLE_BARS = 10
/** Largest page of ListBars. */
const PAGE_BARS_MAX = 1_000

export interface ObserverOptions {
  /** Addresses of the edges, the first to be called first. */
  readonly edges: readonly string[]
  readonly symbols: readonly string[]
  readonly intervals: readonly string[]
}

/**
 * A client that wants every closed bar: it streams, calls the next edge when a call ends, and fetches by ListBars what was closed in
 * between.
 */
export class Observer implements AsyncDisposable {
  readonly bars = new ToldBars()
  calls = 0
  /** Calls that ended, by their reason. */
  readonly endings = new Map<string, number>()
  readonly #options: ObserverOptions
  readonly #startTime = Date.now()
  readonly #clients: BarClient[]
  readonly #stop = new AbortController()
  readonly #work: Promise<unknown>

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#clients = options.edges.map(address => openBarClient(address))
    this.#work = Promise.all([this.#keepStreaming(), this.#keepFilling()])
  }

  /** openTime of the first bar of an interval that must be told: it has begun when the first call had surely been joined. */
  fromTimeOf({ intervalMs }: Interval): number {
    return Math.ceil((this.#startTime + JOINED_MS) / intervalMs) * intervalMs
  }

  /** Series that lack a bar that has ended by `untilTime`, with how many they lack. */
  lackingUntil(untilTime: number): string[] {
    return this.#series().flatMap(([symbol, interval]) => {
      const { length } = this.#holesOf(symbol, interval, untilTime)
      return length === 0 ? [] : [`${symbol} ${interval.name}: ${length} bars`]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
    for (const client of this.#clients) client[Symbol.dispose]()
  }

  async #keepStreaming(): Promise<void> {
    const { symbols, intervals } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      const client = this.#clients[this.calls % this.#clients.length]!
      const call = this.bars.beginCall()
      this.calls++
      let ending = 'ended by the server without an error'
      try {
        for await (const { events } of client.streamBars({ symbols, intervals, mode: 'STREAM_MODE_CLOSED' }, signal)) {
          for (const { bar } of events) if (bar !== null) this.bars.tell(call, barOfMessage(bar))
        }
      } catch (error) {
        ending = (error as Error).message
      }
      if (signal.aborted) return
      this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
      await sleep(CALL_AGAIN_MS)
    }
  }

  /** Fetches what is missing, for as long as it is. */
  async #keepFilling(): Promise<void> {
    const { signal } = this.#stop
    for (let turn = 0; !signal.aborted; turn++) {
      const client = this.#clients[turn % this.#clients.length]!
      for (const [symbol, interval] of this.#series()) {
        if (signal.aborted) return
        // History may be away with PostgreSQL, or this edge: the next turn asks another.
        await this.#fill(client, symbol, interval).catch(() => undefined)
      }
      await sleep(FILL_EVERY_MS)
    }
  }

  async #fill(client: BarClient, symbol: string, interval: Interval): Promise<void> {
    const { name, intervalMs } = interval
    const holes = this.#holesOf(symbol, interval, Date.now() - FILL_AFTER_MS)
    const first = holes[0]
    if (first === undefined) return
    const { bars } = await client.listBars({
      symbol,
      interval: name,
      startTime: timestampOfTime(first - RESTATABLE_BARS * intervalMs),
      endTime: timestampOfTime(holes.at(-1)! + intervalMs),
      pageSize: PAGE_BARS_MAX,
    })
    for (const bar of bars) this.bars.fetch(barOfMessage(bar))
  }

  /** Bars of a series that have ended by `untilTime` and were not told. */
  #holesOf(symbol: string, interval: Interval, untilTime: number): number[] {
    return this.bars.holesOf(symbol, interval, this.fromTimeOf(interval), untilTime - interval.intervalMs + 1)
  }

  #series(): [symbol: string, interval: Interval][] {
    const { symbols, intervals } = this.#options
    return symbols.flatMap(symbol => intervals.map((name): [string, Interval] => [symbol, intervalOf(name)]))
  }
}
