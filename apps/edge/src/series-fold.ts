import { decodeBar, encodeBar, type SymbolUpdate } from '@chart/grpc'
import { type Bar, type BarText, barOfText, type Interval, openTimeOf, type Scales, type Trade } from '@chart/market'
import { RecentBars } from './recent-bars.ts'
import {
  type ClosedEvent,
  closedEventOf,
  type LiveEvent,
  liveEventOf,
  type SeriesEvent,
  versionOf,
} from './series-event.ts'
import { ToldBars } from './told-bars.ts'
import { type ClosedBar, TradeWalk } from './trade-walk.ts'

/**
 * What the subscribers of a series are told of its live bar: `nothing` (there are none, or they take closed bars only), the `latest` of each
 * update, or every trade's.
 */
export type Wanted = 'nothing' | 'latest' | 'every-trade'

/** What an update makes of one series, for each kind of subscriber. */
export interface SeriesEvents {
  /** An event for each trade, closed bars in between, the final live bar. */
  readonly everyTrade: readonly SeriesEvent[]
  /** Closed bars, then the final live bar. */
  readonly latest: readonly SeriesEvent[]
}

/**
 * The live bar of one series as this edge knows it, and what each update of the aggregator makes of it. The aggregator publishes the
 * bar after a whole batch of trades; for subscribers that want every trade the steps between are folded here, once for all of them,
 * by the same rules. The aggregator's bar is compared at the end and wins.
 */
export class SeriesFold {
  readonly #interval: Interval
  /** The live bar as it was told last. */
  #bytes: Uint8Array | undefined
  /** When it opens. */
  #openTime: number | undefined
  /** #bytes as numbers, made when first needed. */
  #bar: Bar | undefined
  readonly #told = new ToldBars()
  readonly #recent: RecentBars
  /** How often the result of the steps differed from the aggregator's bar. */
  differing = 0

  /** @param isStored whether PostgreSQL has the closed bars */
  constructor(interval: Interval, isStored: boolean) {
    this.#interval = interval
    this.#recent = new RecentBars(interval.intervalMs, isStored)
  }

  /** openTime of the bar whose closing subscribers have to be told of next; undefined when they know of no bar yet. */
  get nextClosed(): number | undefined {
    const { newest } = this.#told
    if (newest !== undefined) return newest + this.#interval.intervalMs
    return this.#openTime
  }

  /**
   * Takes bars read from Redis. Gives the closed ones that no update has told of, oldest first.
   * @param closed the newest closed bars, oldest first
   */
  restore(live: BarText | undefined, closed: readonly BarText[]): SeriesEvent[] {
    if (live !== undefined) this.#keep(encodeBar(live), live.openTime)
    this.#bar = undefined
    return closed.flatMap(bar => this.#tell(bar, encodeBar(bar)) ?? [])
  }

  /** The live bar; undefined before the first trade. */
  get live(): BarText | undefined {
    return this.#bytes && decodeBar(this.#bytes)
  }

  /** The live bar for a subscriber that joins now; undefined before the first trade. */
  snapshot(throughTradeId: number): LiveEvent | undefined {
    if (this.#bytes === undefined || this.#openTime === undefined) return undefined
    return liveEventOf('snapshot', this.#openTime, this.#bytes, 0, throughTradeId)
  }

  /** The closed bars told last. */
  get recent(): RecentBars {
    return this.#recent
  }

  /**
   * Takes an update.
   * @param trades those of the update that the bar does not hold yet, in id order
   * @param previousTradeId id of the trade before the first of them; below 0 when there is none
   * @param wanted what is made of the live bar; closed bars are told in any case
   */
  apply(
    update: SymbolUpdate,
    trades: readonly Trade[],
    scales: Scales | undefined,
    previousTradeId: number,
    wanted: Wanted,
  ): SeriesEvents {
    const next = this.nextClosed ?? Number.NEGATIVE_INFINITY
    const closed = this.#closedOf(update)
    // The closing itself was passed over, by a Redis that fell back: there are no steps from the live bar to its correction.
    const isPassedOver = closed.some(({ bar }) => bar.openTime >= next && isFirst(closed, bar))
    const live = update.live.find(bar => bar.interval === this.#interval.name)
    const newest = this.#told.newest
    if (live !== undefined && newest !== undefined && live.openTime <= newest) {
      // Redis fell back behind the end of a bar, and the bar has trades again: it is told when it closes again.
      this.#bar = undefined
      const events = closed.map(one => one.event)
      return { everyTrade: events, latest: events }
    }
    const closedEvents = closed.map(one => one.event)
    if (wanted === 'nothing') {
      this.#bar = undefined
      if (live !== undefined) this.#keep(live.bar, live.openTime)
      return { everyTrade: closedEvents, latest: closedEvents }
    }
    const lastTradeTime = trades[trades.length - 1]?.tradeTime ?? 0
    const event =
      live &&
      liveEventOf(
        'update',
        live.openTime,
        live.bar,
        openTimeOf(this.#interval, lastTradeTime) === live.openTime ? lastTradeTime : 0,
        update.throughTradeId,
      )
    const latest = event ? [...closedEvents, event] : closedEvents
    if (wanted === 'latest' || scales === undefined || isPassedOver) {
      const same = live !== undefined && this.#bytes !== undefined && Buffer.compare(this.#bytes, live.bar) === 0
      this.#bar = undefined
      if (live !== undefined) this.#keep(live.bar, live.openTime)
      return { everyTrade: same ? closedEvents : latest, latest }
    }
    const walk = new TradeWalk(this.#interval, scales, this.#bar ?? this.#decoded(scales), closed, live)
    walk.applyAll(update.symbol, trades, previousTradeId)
    const told = walk.bytes ?? this.#bytes
    const same =
      live !== undefined && walk.bar !== undefined && told !== undefined && Buffer.compare(told, live.bar) === 0
    if (event !== undefined && !same) {
      if (walk.bytes !== undefined && walk.bar?.openTime === live?.openTime) this.differing++
      walk.events.push(event)
    }
    this.#bar = live === undefined || same ? walk.bar : undefined
    if (live !== undefined) this.#keep(live.bar, live.openTime)
    else if (walk.bytes !== undefined) this.#keep(walk.bytes, walk.bar?.openTime)
    return { everyTrade: walk.events, latest }
  }

  /**
   * The corrections of an update that brings nothing else: of bars that closed before, restated long after. What closed in it for the first
   * time is not told: either later bars were, by the reading that it is older than, or Redis fell back and the bar lacks trades that were
   * told.
   */
  corrections(update: SymbolUpdate): SeriesEvent[] {
    const next = this.nextClosed ?? Number.NEGATIVE_INFINITY
    return this.#closedOf(update, bar => bar.openTime < next && bar.revision > 0).map(({ event }) => event)
  }

  #keep(bytes: Uint8Array, openTime: number | undefined): void {
    this.#bytes = bytes
    this.#openTime = openTime
  }

  #decoded(scales: Scales): Bar | undefined {
    return this.#bytes && barOfText(decodeBar(this.#bytes), scales)
  }

  /** The closed bars of our interval that were not told before. */
  #closedOf(update: SymbolUpdate, isWanted: (bar: BarText) => boolean = () => true): ClosedBar[] {
    const closed: ClosedBar[] = []
    for (const one of update.closed) {
      if (one.interval !== this.#interval.name) continue
      const bar = decodeBar(one.bar)
      if (!isWanted(bar)) continue
      const event = this.#tell(bar, one.bar)
      if (event !== undefined) closed.push({ event, bar })
    }
    return closed
  }

  /** The event of a closed bar; undefined when it was told. */
  #tell(bar: BarText, bytes: Uint8Array): ClosedEvent | undefined {
    const version = versionOf(bar)
    const telling = this.#told.add(version)
    if (telling === undefined) return undefined
    const event = closedEventOf(telling, version, bytes)
    this.#recent.add(event)
    return event
  }
}

/** `bar` is the first version of itself that is told here, and not its first one. */
function isFirst(closed: readonly ClosedBar[], bar: BarText): boolean {
  return bar.revision > 0 && closed.find(one => one.bar.openTime === bar.openTime)?.bar === bar
}
