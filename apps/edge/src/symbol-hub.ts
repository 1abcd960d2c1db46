import { decodeUpdate, type SeriesPosition, type SymbolUpdate } from '@chart/grpc'
import type { Interval } from '@chart/market'
import { type BarUpdates, type BarUpdatesOptions, type RedisCommands, UpdatePositions } from '@chart/redis'
import { delay, type Log, NO_TRACES, type Span, type Tracer } from '@chart/service'
import type { BarHistory } from './bar-history.ts'
import type { Metrics } from './metrics.ts'
import { readMissedBars } from './missed-bars.ts'
import type { LiveEvent } from './series-event.ts'
import type { Wanted } from './series-fold.ts'
import type { SubscriberGroup } from './subscriber-group.ts'
import { readStoredBars, type StoredBars } from './symbol-bars.ts'

import { type KnownSeries, type OlderBars, type SeriesChange, WatchedSymbol } from './watched-symbol.ts'

/** Updates of a symbol kept while its bars are read; more means that the read itself is stuck, and it begins anew. */
const EARLY_UPDATES_MAX = 1_000

/** Pause before bars that could not be read are read again. */
const REREAD_MS = 250

/** Opens the subscriber: openBarUpdates of a Redis. */
export type OpenUpdates = (listener: Pick<BarUpdatesOptions, 'onUpdate' | 'onReconnect'>) => Promise<BarUpdates>

export interface HubOptions {
  readonly openUpdates: OpenUpdates
  readonly redis: RedisCommands
  readonly history: BarHistory
  readonly intervals: readonly Interval[]
  readonly metrics: Metrics
  readonly tracer?: Tracer
  readonly log: Log
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

  /** The live bar of a watched series; undefined before the first trade. */
  snapshot(symbol: string, interval: string): LiveEvent | undefined {
    return this.#symbols.get(symbol)!.snapshot(interval)
  }

  /** What is known of a watched series. */
  known(symbol: string, interval: string): KnownSeries {
    return this.#symbols.get(symbol)!.known(interval)
  }

  /** Whether every correction since a client's position was told here, and is still at hand. */
  hasCorrectionsSince({ symbol, interval, newest }: SeriesPosition): boolean {
    return this.#symbols.get(symbol)!.hasCorrectionsSince(interval, newest)
  }

  /** Where a client of a watched series stands that was told everything; undefined before the first bar. */
  position(symbol: string, interval: string): SeriesPosition | undefined {
    return this.#symbols.get(symbol)!.position(interval)
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
    const { intervals, history } = this.#options
    const watched = new WatchedSymbol(symbol, tag, intervals, interval => history.isStored(interval))
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
    let older: ReadonlyMap<string, OlderBars>
    do {
      watched.state = 'reading'
      watched.early = []
      // Also when it is subscribed already: a connection that has just come back may not be.
      await this.#updates!.subscribe(watched.tag)
      stored = await readStoredBars(redis, watched.tag, watched.symbol, intervals)
      older = await readMissedBars(watched, stored, this.#options)
    } while ((watched.state as string) === 'outdated' || !this.#positions.reach(watched.tag, stored.position))
    if (!watched.isAheadOf(stored)) this.#push(watched.restore(stored, older))
    this.#followEarly(watched)
  }

  #followEarly(watched: WatchedSymbol): void {
    const { early } = watched
    watched.early = []
    watched.state = 'following'
    for (const update of early) this.#follow(watched, update)
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
    const { differing } = watched
    const changes = watched.follow(update, key => this.#wantedOf(key))
    if (changes === undefined) metrics.stale.inc()
    metrics.differing.inc(watched.differing - differing)
    this.#push(changes ?? watched.corrections(update))
  }

  #wantedOf(key: string): Wanted {
    let wanted: Wanted = 'nothing'
    for (const group of this.#groups.get(key) ?? []) {
      if (group.wanted === 'every-trade') return 'every-trade'
      if (group.wanted === 'latest') wanted = 'latest'
    }
    return wanted
  }

  #push(changes: readonly SeriesChange[]): void {
    for (const { key, everyTrade, latest } of changes) {
      for (const group of this.#groups.get(key) ?? []) {
        const events = group.wanted === 'every-trade' ? everyTrade : latest
        this.#options.metrics.events.inc(events.length)
        for (const event of events) group.push(key, event)
      }
    }
  }
}
