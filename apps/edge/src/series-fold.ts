import { decodeBar, encodeBar, frameBarEvent, type IntervalBar, type SymbolUpdate } from '@chart/grpc'
import { type Bar, type BarText, barOfText, type Interval, openTimeOf, type Scales, type Trade } from '@chart/market'
import type { SeriesEvent } from './series-event.ts'
import { ToldBars } from './told-bars.ts'
import { type ClosedBar, TradeWalk } from './trade-walk.ts'

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
  /** #bytes as numbers, made when first needed. */
  #bar: Bar | undefined
  readonly #told = new ToldBars()
  /** How often the result of the steps differed from the aggregator's bar. */
  differing = 0

  constructor(interval: Interval) {
    this.#interval = interval
  }

  /** openTime of the bar whose closing subscribers have to be told of next; undefined when they know of no bar yet. */
  get nextClosed(): number | undefined {
    const { newest } = this.#told
    if (newest !== undefined) return newest + this.#interval.intervalMs
    return this.#bytes && decodeBar(this.#bytes).openTime
  }

  /**
   * Takes bars read from Redis. Gives the closed ones that no update has told of, oldest first.
   * @param closed the newest closed bars, oldest first
   */
  restore(live: BarText | undefined, closed: readonly BarText[]): SeriesEvent[] {
    if (live !== undefined) this.#bytes = encodeBar(live)
    this.#bar = undefined
    return this.#told.missing(closed).map(({ bar, telling }) => ({
      type: telling,
      openTime: bar.openTime,
      frame: frameBarEvent(telling, encodeBar(bar), 0),
    }))
  }

  /** The live bar for a subscriber that joins now; undefined before the first trade. */
  snapshot(): SeriesEvent | undefined {
    if (this.#bytes === undefined) return undefined
    const { openTime } = decodeBar(this.#bytes)
    return { type: 'snapshot', openTime, frame: frameBarEvent('snapshot', this.#bytes, 0) }
  }

  /**
   * Takes an update.
   * @param trades those of the update that the bar does not hold yet, in id order
   * @param previousTradeId id of the trade before the first of them; below 0 when there is none
   * @param everyTrade whether anyone wants the steps
   */
  apply(
    update: SymbolUpdate,
    trades: readonly Trade[],
    scales: Scales | undefined,
    previousTradeId: number,
    everyTrade: boolean,
  ): SeriesEvents {
    const closed = this.#closedOf(update)
    const live = update.live.find(bar => bar.interval === this.#interval.name)
    const lastTradeTime = trades[trades.length - 1]?.tradeTime ?? 0
    const event =
      live && liveEventOf(live, openTimeOf(this.#interval, lastTradeTime) === live.openTime ? lastTradeTime : 0)
    const closedEvents = closed.map(one => one.event)
    const latest = event ? [...closedEvents, event] : closedEvents
    if (!everyTrade || scales === undefined) {
      const same = live !== undefined && this.#bytes !== undefined && Buffer.compare(this.#bytes, live.bar) === 0
      this.#bar = undefined
      if (live !== undefined) this.#bytes = live.bar
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
    this.#bytes = live?.bar ?? told
    return { everyTrade: walk.events, latest }
  }

  /**
   * The corrections of an update that brings nothing else: of bars that closed before, restated long after. A bar that closed in it for the
   * first time is no longer told: later ones were, by the reading that the update is older than.
   */
  corrections(update: SymbolUpdate): SeriesEvent[] {
    return this.#closedOf(update).flatMap(({ event }) => (event.type === 'corrected' ? [event] : []))
  }

  #decoded(scales: Scales): Bar | undefined {
    return this.#bytes && barOfText(decodeBar(this.#bytes), scales)
  }

  /** The closed bars of our interval that were not told before. */
  #closedOf(update: SymbolUpdate): ClosedBar[] {
    const closed: ClosedBar[] = []
    for (const one of update.closed) {
      if (one.interval !== this.#interval.name) continue
      const bar = decodeBar(one.bar)
      const type = this.#told.add(bar)
      if (type === undefined) continue
      closed.push({ event: { type, openTime: one.openTime, frame: frameBarEvent(type, one.bar, 0) }, bar })
    }
    return closed
  }
}

function liveEventOf(bar: IntervalBar, tradeTime: number): SeriesEvent {
  return { type: 'update', openTime: bar.openTime, frame: frameBarEvent('update', bar.bar, tradeTime) }
}
