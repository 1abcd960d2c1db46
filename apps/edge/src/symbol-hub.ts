import { decodeUpdate, type SymbolUpdate } from '@chart/grpc'
import { type Interval, type Scales, type Trade, unpackTrades } from '@chart/market'
import { type BarUpdates, openBarUpdates, type RedisConnection, readLiveBars } from '@chart/redis'
import type { Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { type SeriesEvent, SeriesFold } from './series-fold.ts'
import type { SubscriberGroup } from './subscriber-group.ts'

/** Updates of a symbol kept while its bars are read from Redis; more means that the read itself is stuck, and it begins anew. */
const EARLY_UPDATES_MAX = 1_000

/** Pause before bars that could not be read are read again. */
const REREAD_MS = 250

/** Identity of a series among all. */
export function seriesKeyOf(symbol: string, interval: string): string {
  return `${symbol} ${interval}`
}

export interface HubOptions {
  readonly redisUrl: string
  readonly redis: RedisConnection
  readonly intervals: readonly Interval[]
  readonly metrics: Metrics
  readonly log: Log
}

/** One symbol that someone is interested in. */
interface WatchedSymbol {
  readonly symbol: string
  readonly tag: string
  readonly folds: Map<string, SeriesFold>
  /** Every trade up to this id is in the folds, and the exchange time that they have reached. */
  throughTradeId: number
  throughTime: number
  /** The bars are being read from Redis; updates wait in `early`. */
  reading: boolean
  early: SymbolUpdate[]
  ready: Promise<void>
}

/**
 * Everything that this edge knows of the bars its clients want: one subscription for each partition in use, one fold for each series,
 * shared by all their subscribers. Symbols once asked for are kept: there are as many as the service has.
 *
 * Register first, read then, drop what the reading already covers: so no change is missed. A symbol's progress is told by its last
 * trade id and the time reached, not by positions, which start again when Redis falls back to an earlier state of itself.
 */
export class SymbolHub implements AsyncDisposable {
  readonly #options: HubOptions
  readonly #symbols = new Map<string, WatchedSymbol>()
  readonly #tags = new Map<string, Promise<void>>()
  readonly #groups = new Map<string, Set<SubscriberGroup>>()
  #updates: BarUpdates | undefined

  private constructor(options: HubOptions) {
    this.#options = options
  }

  static async open(options: HubOptions): Promise<SymbolHub> {
    const hub = new SymbolHub(options)
    hub.#updates = await openBarUpdates({
      url: options.redisUrl,
      name: 'edge-updates',
      onUpdate: (tag, bytes) => hub.#onUpdate(tag, bytes),
      onReconnect: () => hub.#rereadAll(),
    })
    return hub
  }

  /** Makes sure that the symbols' bars are known and followed. */
  async watch(symbols: readonly { symbol: string; tag: string }[]): Promise<void> {
    await Promise.all(
      symbols.map(async ({ symbol, tag }) => {
        await this.#subscribe(tag)
        const known = this.#symbols.get(symbol)
        if (known !== undefined) return known.ready
        const folds = new Map(this.#options.intervals.map(interval => [interval.name, new SeriesFold(interval)]))
        const watched: WatchedSymbol = {
          symbol,
          tag,
          folds,
          throughTradeId: -1,
          throughTime: 0,
          reading: true,
          early: [],
          ready: Promise.resolve(),
        }
        this.#symbols.set(symbol, watched)
        watched.ready = this.#read(watched)
        try {
          await watched.ready
        } catch (error) {
          this.#symbols.delete(symbol)
          throw error
        }
      }),
    )
  }

  /** The live bar of a watched series. */
  snapshot(symbol: string, interval: string): SeriesEvent | undefined {
    return this.#symbols.get(symbol)?.folds.get(interval)?.snapshot()
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
    for (const { symbol, tag, folds } of this.#symbols.values()) {
      for (const interval of folds.keys()) {
        if (!this.#groups.has(seriesKeyOf(symbol, interval))) continue
        yield { symbol, tag }
        break
      }
    }
  }

  /** The groups that take any series of `symbol`. */
  groupsOf(symbol: string): Set<SubscriberGroup> {
    const groups = new Set<SubscriberGroup>()
    for (const { name } of this.#options.intervals) {
      for (const group of this.#groups.get(seriesKeyOf(symbol, name)) ?? []) groups.add(group)
    }
    return groups
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#updates?.[Symbol.asyncDispose]()
  }

  async #subscribe(tag: string): Promise<void> {
    let subscribing = this.#tags.get(tag)
    if (subscribing === undefined) {
      subscribing = this.#updates!.subscribe(tag)
      this.#tags.set(tag, subscribing)
      subscribing.catch(() => this.#tags.delete(tag))
    }
    await subscribing
  }

  async #read(watched: WatchedSymbol): Promise<void> {
    const { redis, intervals } = this.#options
    const names = intervals.map(({ name }) => name)
    const bars = await readLiveBars(redis, watched.tag, watched.symbol, names)
    watched.throughTradeId = -1
    watched.throughTime = 0
    for (const live of bars) {
      if (live === undefined) continue
      watched.folds.get(live.bar.interval)?.restore(live.bar)
      // A commit writes only the bars that it changed, so the furthest tells how far the symbol is.
      watched.throughTradeId = Math.max(watched.throughTradeId, live.throughTradeId)
      watched.throughTime = Math.max(watched.throughTime, live.throughTime)
    }
    watched.reading = false
    const early = watched.early
    watched.early = []
    for (const update of early) this.#apply(watched, update)
  }

  #rereadAll(): void {
    for (const watched of this.#symbols.values()) this.#reread(watched)
  }

  /** Updates were missed: reads the bars again and sends them as snapshots. */
  #reread(watched: WatchedSymbol): void {
    if (watched.reading) return
    watched.reading = true
    this.#options.metrics.rereads.inc()
    watched.ready = this.#read(watched).then(
      () => {
        for (const [interval, fold] of watched.folds) {
          const event = fold.snapshot()
          if (event !== undefined) this.#push(seriesKeyOf(watched.symbol, interval), [event], [event])
        }
      },
      error => {
        this.#options.log.warn({ symbol: watched.symbol, reason: error.message }, 'bars cannot be read; trying again')
        watched.reading = false
        setTimeout(() => this.#reread(watched), REREAD_MS).unref()
      },
    )
  }

  #onUpdate(tag: string, bytes: Buffer): void {
    const { metrics } = this.#options
    metrics.updates.inc()
    const { position, previousPosition, symbols } = decodeUpdate(bytes)
    this.#noteMissed(tag, position, previousPosition)
    for (const update of symbols) {
      const watched = this.#symbols.get(update.symbol)
      if (watched === undefined) continue
      if (watched.reading) {
        if (watched.early.length >= EARLY_UPDATES_MAX) watched.early = []
        watched.early.push(update)
      } else this.#apply(watched, update)
    }
  }

  /** Positions of a partition that an edge has seen; a jump means that an update was lost on the way. */
  readonly #positions = new Map<string, number>()

  #noteMissed(tag: string, position: number, previousPosition: number): void {
    const known = this.#positions.get(tag)
    this.#positions.set(tag, position)
    if (known === undefined || known === previousPosition) return
    for (const watched of this.#symbols.values()) if (watched.tag === tag) this.#reread(watched)
  }

  #apply(watched: WatchedSymbol, update: SymbolUpdate): void {
    const { throughTradeId, throughTime } = watched
    if (
      update.throughTradeId < throughTradeId ||
      (update.throughTradeId === throughTradeId && update.throughTime <= throughTime)
    ) {
      this.#options.metrics.stale.inc()
      return
    }
    watched.throughTradeId = update.throughTradeId
    watched.throughTime = Math.max(throughTime, update.throughTime)
    let unpacked: { trades: Trade[]; scales: Scales | undefined } | undefined
    for (const [interval, fold] of watched.folds) {
      const key = seriesKeyOf(watched.symbol, interval)
      const groups = this.#groups.get(key)
      const everyTrade = groups !== undefined && [...groups].some(group => group.mode === 'every-trade')
      if (everyTrade) unpacked ??= newTradesOf(update, throughTradeId)
      const differing = fold.differing
      const events = fold.apply(update, unpacked?.trades ?? [], unpacked?.scales, throughTradeId, everyTrade)
      if (fold.differing > differing) this.#options.metrics.differing.inc()
      if (groups !== undefined) this.#push(key, events.everyTrade, events.latest)
    }
  }

  #push(key: string, everyTrade: readonly SeriesEvent[], latest: readonly SeriesEvent[]): void {
    const groups = this.#groups.get(key)
    if (groups === undefined) return
    for (const group of groups) {
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
