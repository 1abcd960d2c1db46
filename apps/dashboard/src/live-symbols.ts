import { decodeUpdate } from '@chart/grpc'
import type { Interval } from '@chart/market'
import {
  type BarUpdates,
  type BarUpdatesOptions,
  positionKey,
  type RedisCommands,
  readLiveBars,
  UpdatePositions,
} from '@chart/redis'
import { delay, type Log } from '@chart/service'
import { LiveSymbol } from './live-symbol.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesLine } from './series-line.ts'

/** Updates of a symbol kept while its bars are read; more means that the read itself is stuck, and it begins anew. */
const EARLY_UPDATES_MAX = 1_000

/** Pause before bars that could not be read are read again. */
const REREAD_MS = 250

/** Opens the subscriber: openBarUpdates of a Redis. */
export type OpenUpdates = (listener: Pick<BarUpdatesOptions, 'onUpdate' | 'onReconnect'>) => Promise<BarUpdates>

export interface LiveSymbolsOptions {
  readonly openUpdates: OpenUpdates
  readonly redis: RedisCommands
  readonly intervals: readonly Interval[]
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * The live bars of every symbol that a page has asked for, out of Redis: one subscription for each partition in use, one line for each
 * series. Symbols once asked for are kept: there are as many as the service has.
 *
 * Register first, read then, drop what the reading already covers: so no change is missed. Where an update got lost all the same, the
 * live bars are read again, and pages are told to ask for the closed ones that they may lack.
 */
export class LiveSymbols implements AsyncDisposable {
  readonly #options: LiveSymbolsOptions
  readonly #symbols = new Map<string, LiveSymbol>()
  readonly #positions = new UpdatePositions()
  readonly #stop = new AbortController()
  #updates: BarUpdates | undefined

  private constructor(options: LiveSymbolsOptions) {
    this.#options = options
  }

  static async open(options: LiveSymbolsOptions): Promise<LiveSymbols> {
    const symbols = new LiveSymbols(options)
    symbols.#updates = await options.openUpdates({
      onUpdate: (tag, bytes) => symbols.#onUpdate(tag, bytes),
      onReconnect: tags => {
        for (const tag of tags) symbols.#positions.forget(tag)
        symbols.#readAgain(({ tag }) => tags.has(tag))
      },
    })
    return symbols
  }

  /**
   * Makes sure that the symbols' live bars are known and followed.
   * @throws an error of Redis
   */
  async watch(symbols: readonly { symbol: string; tag: string }[]): Promise<void> {
    await Promise.all(symbols.map(({ symbol, tag }) => this.#symbols.get(symbol)?.ready ?? this.#begin(symbol, tag)))
  }

  /** Every trade of `symbol` up to this one is in the bars; undefined where there are none, or nobody watches. */
  throughTradeId(symbol: string): number | undefined {
    return this.#symbols.get(symbol)?.throughTradeId
  }

  /** A series of a watched symbol. */
  line(symbol: string, interval: string): SeriesLine {
    return this.#symbols.get(symbol)!.lines.get(interval)!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    for (const symbol of this.#symbols.values()) symbol.close()
    await this.#updates?.[Symbol.asyncDispose]()
  }

  #begin(symbol: string, tag: string): Promise<void> {
    const live = new LiveSymbol(symbol, tag, this.#options.intervals)
    this.#symbols.set(symbol, live)
    live.ready = this.#read(live).catch(error => {
      this.#symbols.delete(symbol)
      throw error
    })
    return live.ready
  }

  /** Reads the live bars until nothing was missed since a reading began, and follows from there. */
  async #read(live: LiveSymbol): Promise<void> {
    const { redis } = this.#options
    const { tag, symbol } = live
    let bars: Awaited<ReturnType<typeof readLiveBars>>
    let position: number
    do {
      live.state = 'reading'
      live.early = []
      // Also when it is subscribed already: a connection that has just come back may not be.
      await this.#updates!.subscribe(tag)
      // Before the bars, which then are at least as new.
      position = Number((await redis.hget(positionKey(tag), 'pos')) ?? 0)
      bars = await readLiveBars(redis, tag, symbol, [...live.lines.keys()])
    } while ((live.state as string) === 'outdated' || !this.#positions.reach(tag, position))
    live.restore(bars)
    const { early } = live
    live.early = []
    live.state = 'following'
    for (const update of early) live.follow(update)
  }

  /** Updates of these symbols may have been missed: reads their live bars again, and has pages ask for the closed ones. */
  #readAgain(missed: (live: LiveSymbol) => boolean): void {
    for (const live of this.#symbols.values()) {
      if (!missed(live)) continue
      if (live.state !== 'following') {
        live.state = 'outdated'
        continue
      }
      live.state = 'reading'
      this.#options.metrics.rereads.inc()
      live.ready = this.#readUntilDone(live)
    }
  }

  async #readUntilDone(live: LiveSymbol): Promise<void> {
    const { signal } = this.#stop
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#read(live)
        live.tellMissed()
        return
      } catch (error) {
        const fields = { symbol: live.symbol, reason: (error as Error).message }
        if (attempt === 1) this.#options.log.warn(fields, 'live bars cannot be read; trying again')
        await delay(REREAD_MS, signal)
      }
    }
  }

  #onUpdate(tag: string, bytes: Buffer): void {
    this.#options.metrics.updates.inc()
    try {
      const { position, previousPosition, symbols } = decodeUpdate(bytes)
      if (!this.#positions.take(tag, previousPosition, position)) this.#readAgain(live => live.tag === tag)
      for (const update of symbols) {
        const live = this.#symbols.get(update.symbol)
        if (live === undefined) continue
        if (live.state === 'following') live.follow(update)
        else if (live.early.length < EARLY_UPDATES_MAX) live.early.push(update)
        else live.state = 'outdated'
      }
    } catch (error) {
      const fields = { tag, reason: (error as Error).message }
      this.#options.log.error(fields, 'an update cannot be read; reading the live bars')
      this.#readAgain(live => live.tag === tag)
    }
  }
}
