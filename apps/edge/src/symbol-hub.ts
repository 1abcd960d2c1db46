import { decodeUpdate, type SymbolUpdate } from '@chart/grpc'
import { type BarText, type Interval, type Scales, type Trade, unpackTrades } from '@chart/market'
import type { Postgres } from '@chart/postgres'
import type { BarUpdates, BarUpdatesOptions, RedisCommands } from '@chart/redis'
import { delay, type Log, NO_TRACES, type Span, type Tracer } from '@chart/service'
import type { Metrics } from './metrics.ts'
import type { SeriesEvent } from './series-event.ts'
import { SeriesFold } from './series-fold.ts'
import type { SubscriberGroup } from './subscriber-group.ts'
import { readClosedBars, readStoredBars, type StoredBars } from './symbol-bars.ts'
import { UpdatePositions } from './update-positions.ts'

/** Updates of a symbol kept while its bars are read; more means that the read itself is stuck, and it begins anew. */
const EARLY_UPDATES_MAX = 1_000

/** Pause before bars that could not be read are read again. */
const REREAD_MS = 250

/** Identity of a series among all. */
export function seriesKeyOf(symbol: string, interval: string): string {
  return `${symbol} ${interval}`
}

/** Opens the subscriber: openBarUpdates of a Redis. */
export type OpenUpdates = (listener: Pick<BarUpdatesOptions, 'onUpdate' | 'onReconnect'>) => Promise<BarUpdates>

export interface HubOptions {
  readonly openUpdates: OpenUpdates
  readonly redis: RedisCommands
  readonly postgres: Postgres
  readonly intervals: readonly Interval[]
  readonly metrics: Metrics
  readonly tracer?: Tracer
  readonly log: Log
}

/** One symbol that someone is interested in. */
interface WatchedSymbol {
  readonly symbol: string
  readonly tag: string
  readonly series: readonly WatchedSeries[]
  /** Every trade up to this id is in the folds, and the exchange time that they have reached. */
  throughTradeId: number
  throughTime: number
  /**
   * `following`: updates are applied as they come. `reading`: the bars are being read; updates wait in `early`. `outdated`: an update
   * was missed after that reading began, so it is not the last one.
   */
  state: 'following' | 'reading' | 'outdated'
  early: SymbolUpdate[]
  ready: Promise<void>
}

interface WatchedSeries {
  readonly interval: Interval
  readonly key: string
  readonly fold: SeriesFold
}

/**
 * Everything that this edge knows of the bars its clients want: one subscription for each partition in use, one fold for each series,
 * shared by all their subscribers. Symbols once asked for are kept: there are as many as the service has.
 *
 * Register first, read then, drop what the reading already covers: so no change is missed. A symbol's progress is told by its last
 * trade id and the time reached, not by positions, which start again when Redis falls back to an earlier state of itself. Where an
 * update is missed, the bars are read again: subscribers get the closed bars they lack, then the live bar as a snapshot.
 */
export class SymbolHub implements AsyncDisposable {
  readonly #options: HubOptions
  readonly #symbols = new Map<string, WatchedSymbol>()
  readonly #groups = new Map<string, Set<SubscriberGroup>>()
  readonly #positions = new UpdatePositions()
  readonly #stop = new AbortController()
  #updates: BarUpdates | undefined

  private constructor(options: HubOptions) {
    this.#options = options
  }

  static async open(options: HubOptions): Promise<SymbolHub> {
    const hub = new SymbolHub(options)
    hub.#updates = await options.openUpdates({
      onUpdate: (tag, bytes) => hub.#onUpdate(tag, bytes),
      onReconnect: tags => {
        for (const tag of tags) hub.#positions.forget(tag)
        hub.#readAgain(({ tag }) => tags.has(tag))
      },
    })
    return hub
  }

  /** Makes sure that the symbols' bars are known and followed. */
  async watch(symbols: readonly { symbol: string; tag: string }[]): Promise<void> {
    await Promise.all(symbols.map(({ symbol, tag }) => this.#symbols.get(symbol)?.ready ?? this.#begin(symbol, tag)))
  }

  /** The live bar of a watched series. */
  snapshot(symbol: string, interval: string): SeriesEvent | undefined {
    return this.#symbols
      .get(symbol)
      ?.series.find(one => one.interval.name === interval)
      ?.fold.snapshot()
  }

  /** From now on the group is told of every change of its series. */
  add(group: SubscriberGroup): void {
    for (const key of group.seriesKeys) {
      const groups = this.#groups.get(key) ?? new Set()
      groups.add(group)
      this.#groups.set(key, groups)
    }
  }

  remove(group: SubscriberGroup): void {
    for (const key of group.seriesKeys) {
      const groups = this.#groups.get(key)
      groups?.delete(group)
      if (groups?.size === 0) this.#groups.delete(key)
    }
  }

  /** Symbols that some group takes, with their tags. */
  *inUse(): Generator<{ symbol: string; tag: string }> {
    for (const { symbol, tag, series } of this.#symbols.values()) {
      if (series.some(({ key }) => this.#groups.has(key))) yield { symbol, tag }
    }
  }

  /** The groups that take any series of `symbol`. */
  groupsOf(symbol: string): Set<SubscriberGroup> {
    const series = this.#symbols.get(symbol)?.series ?? []
    return new Set(series.flatMap(({ key }) => [...(this.#groups.get(key) ?? [])]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#updates?.[Symbol.asyncDispose]()
  }

  #begin(symbol: string, tag: string): Promise<void> {
    const series = this.#options.intervals.map(interval => ({
      interval,
      key: seriesKeyOf(symbol, interval.name),
      fold: new SeriesFold(interval),
    }))
    const watched: WatchedSymbol = {
      symbol,
      tag,
      series,
      throughTradeId: -1,
      throughTime: 0,
      state: 'reading',
      early: [],
      ready: Promise.resolve(),
    }
    this.#symbols.set(symbol, watched)
    watched.ready = this.#read(watched).catch(error => {
      this.#symbols.delete(symbol)
      throw error
    })
    return watched.ready
  }

  /** Reads the bars until nothing was missed since a reading began, and follows from there. */
  async #read(watched: WatchedSymbol): Promise<void> {
    const { redis, intervals } = this.#options
    let stored: StoredBars
    let older: ReadonlyMap<string, readonly BarText[]>
    do {
      watched.state = 'reading'
      watched.early = []
      // Also when it is subscribed already: a connection that has just come back may not be.
      await this.#updates!.subscribe(watched.tag)
      stored = await readStoredBars(redis, watched.tag, watched.symbol, intervals)
      older = await this.#readOlder(watched, stored)
    } while ((watched.state as string) === 'outdated' || !this.#positions.reach(watched.tag, stored.position))
    if (isBehind(stored, watched)) this.#followEarly(watched)
    else this.#restore(watched, stored, older)
  }

  #restore(watched: WatchedSymbol, stored: StoredBars, older: ReadonlyMap<string, readonly BarText[]>): void {
    watched.throughTradeId = stored.throughTradeId
    watched.throughTime = stored.throughTime
    for (const { interval, key, fold } of watched.series) {
      const { live, closed } = stored.series.get(interval.name) ?? { live: undefined, closed: [] }
      const missed = fold.restore(live, [...(older.get(interval.name) ?? []), ...closed])
      const snapshot = fold.snapshot()
      const events = snapshot === undefined ? missed : [...missed, snapshot]
      this.#push(key, events, events)
    }
    this.#followEarly(watched)
  }

  #followEarly(watched: WatchedSymbol): void {
    const { early } = watched
    watched.early = []
    watched.state = 'following'
    for (const update of early) this.#follow(watched, update)
  }

  /**
   * By interval, the closed bars that subscribers lack and that the symbol's state no longer keeps. Without PostgreSQL they are left
   * out, so that its trouble does not hold up live bars.
   */
  async #readOlder(watched: WatchedSymbol, stored: StoredBars): Promise<Map<string, readonly BarText[]>> {
    const older = new Map<string, readonly BarText[]>()
    for (const { interval, fold } of watched.series) {
      const from = fold.nextClosed
      const kept = stored.series.get(interval.name)
      const to = kept?.closed[0]?.openTime ?? kept?.live?.openTime
      if (from === undefined || to === undefined || to <= from) continue
      const series = { tag: watched.tag, symbol: watched.symbol, interval }
      const onNoHistory = ({ message: reason }: Error) => {
        const fields = { symbol: watched.symbol, interval: interval.name, reason }
        this.#options.log.warn(fields, 'closed bars are left out')
      }
      older.set(interval.name, await readClosedBars(this.#options, series, from, to, onNoHistory))
    }
    return older
  }

  /** Updates of these symbols may have been missed: reads their bars again and tells what is new. */
  #readAgain(missed: (watched: WatchedSymbol) => boolean): void {
    for (const watched of this.#symbols.values()) {
      if (!missed(watched)) continue
      if (watched.state !== 'following') {
        watched.state = 'outdated'
        continue
      }
      watched.state = 'reading'
      this.#options.metrics.rereads.inc()
      watched.ready = this.#readUntilDone(watched)
    }
  }

  async #readUntilDone(watched: WatchedSymbol): Promise<void> {
    const { signal } = this.#stop
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await this.#read(watched)
      } catch (error) {
        const fields = { symbol: watched.symbol, reason: (error as Error).message }
        if (attempt === 1) this.#options.log.warn(fields, 'bars cannot be read; trying again')
        await delay(REREAD_MS, signal)
      }
    }
  }

  #onUpdate(tag: string, bytes: Buffer): void {
    const { metrics, tracer = NO_TRACES } = this.#options
    metrics.updates.inc()
    try {
      const { position, previousPosition, symbols, traceparent } = decodeUpdate(bytes)
      const span = tracer.follow('fan-out', traceparent)
      if (!this.#positions.take(tag, previousPosition, position)) this.#readAgain(watched => watched.tag === tag)
      for (const update of symbols) {
        const watched = this.#symbols.get(update.symbol)
        if (watched === undefined) continue
        if (watched.state === 'following') this.#follow(watched, update)
        else if (watched.early.length < EARLY_UPDATES_MAX) watched.early.push(update)
        else watched.state = 'outdated'
      }
      if (span !== undefined) this.#endAfterTurn(span, symbols)
    } catch (error) {
      this.#options.log.error({ tag, reason: (error as Error).message }, 'an update cannot be read; reading the bars')
      this.#readAgain(watched => watched.tag === tag)
    }
  }

  /** What was pushed is written at the end of this turn of the event loop, and the span ends with it. */
  #endAfterTurn(span: Span, symbols: readonly SymbolUpdate[]): void {
    const groups = new Set(symbols.flatMap(({ symbol }) => [...this.groupsOf(symbol)]))
    const streams = [...groups].reduce((sum, { size }) => sum + size, 0)
    setImmediate(() => span.end({ 'chart.streams': streams }))
  }

  #follow(watched: WatchedSymbol, update: SymbolUpdate): void {
    const { metrics } = this.#options
    const { throughTradeId, throughTime } = watched
    if (
      update.throughTradeId < throughTradeId ||
      (update.throughTradeId === throughTradeId && update.throughTime <= throughTime)
    ) {
      metrics.stale.inc()
      // What it tells of the trades is known already; a bar that was restated long after its time may come with it.
      for (const { key, fold } of watched.series) {
        const corrections = fold.corrections(update)
        this.#push(key, corrections, corrections)
      }
      return
    }
    const { trades, scales } = newTradesOf(update, throughTradeId)
    for (const { key, fold } of watched.series) {
      const groups = this.#groups.get(key)
      const everyTrade = groups !== undefined && [...groups].some(group => group.mode === 'every-trade')
      const differing = fold.differing
      const events = fold.apply(update, trades, scales, throughTradeId, everyTrade)
      if (fold.differing > differing) metrics.differing.inc()
      this.#push(key, events.everyTrade, events.latest)
    }
    watched.throughTradeId = update.throughTradeId
    watched.throughTime = Math.max(throughTime, update.throughTime)
  }

  #push(key: string, everyTrade: readonly SeriesEvent[], latest: readonly SeriesEvent[]): void {
    for (const group of this.#groups.get(key) ?? []) {
      const events = group.mode === 'every-trade' ? everyTrade : latest
      this.#options.metrics.events.inc(events.length)
      for (const event of events) group.push(key, event)
    }
  }
}

function newTradesOf(update: SymbolUpdate, throughTradeId: number): { trades: Trade[]; scales: Scales | undefined } {
  const trades: Trade[] = []
  let scales: Scales | undefined
  for (const packed of update.trades) {
    const run = unpackTrades(packed)
    scales = run.scales
    for (const trade of run.trades) if (trade.tradeId > throughTradeId) trades.push(trade)
  }
  return { trades, scales }
}

/**
 * Redis fell back to an earlier state of itself, which is folded anew: clients are not taken back in time with it, and go on where the
 * updates pass what they know.
 */
function isBehind(stored: StoredBars, watched: WatchedSymbol): boolean {
  if (stored.throughTradeId !== watched.throughTradeId) return stored.throughTradeId < watched.throughTradeId
  return stored.throughTime < watched.throughTime
}
