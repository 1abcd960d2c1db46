import {
  type BarEventType,
  decodeBar,
  encodeBar,
  frameBarEvent,
  type IntervalBar,
  type SymbolUpdate,
} from '@chart/grpc'
import {
  applyTradeToBar,
  type Bar,
  type BarText,
  barOfTrade,
  type Interval,
  openTimeOf,
  parseDecimal,
  type Scales,
  type Trade,
  textOfBar,
} from '@chart/market'

/** One change of one series, ready to be sent. */
export interface SeriesEvent {
  readonly type: BarEventType
  /** Start of its bar; 0 in a heartbeat. */
  readonly openTime: number
  /** As it stands in a StreamBarsResponse. */
  readonly frame: Uint8Array
}

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
  #bytes: Uint8Array | undefined
  /** #bytes as numbers, made when first needed. */
  #bar: Bar | undefined
  #tradeTime = 0
  /** How often the result of the steps differed from the aggregator's bar. */
  differing = 0

  constructor(interval: Interval) {
    this.#interval = interval
  }

  /** Takes a bar read from Redis. */
  restore(bar: BarText): void {
    this.#bytes = encodeBar(bar)
    this.#bar = undefined
    this.#tradeTime = 0
  }

  /** The live bar for a subscriber that joins now; undefined before the first trade. */
  snapshot(): SeriesEvent | undefined {
    if (this.#bytes === undefined) return undefined
    return {
      type: 'snapshot',
      openTime: decodeBar(this.#bytes).openTime,
      frame: frameBarEvent('snapshot', this.#bytes, this.#tradeTime),
    }
  }

  /**
   * Takes an update.
   * @param trades those of the update that the bar does not hold yet, in id order
   * @param previousTradeId id of the trade before the first of them
   * @param everyTrade whether anyone wants the steps
   */
  apply(
    update: SymbolUpdate,
    trades: readonly Trade[],
    scales: Scales | undefined,
    previousTradeId: number,
    everyTrade: boolean,
  ): SeriesEvents {
    const closed = update.closed.filter(bar => bar.interval === this.#interval.name).map(closedEventOf)
    const live = update.live.find(bar => bar.interval === this.#interval.name)
    const lastTradeTime = trades[trades.length - 1]?.tradeTime ?? 0
    const steps =
      everyTrade && scales ? this.#fold(update.symbol, trades, scales, previousTradeId, closed) : [...closed]
    const folded = everyTrade && this.#bar !== undefined && scales ? encodeBar(textOfBar(this.#bar, scales)) : undefined
    if (live === undefined) return { everyTrade: steps, latest: closed }
    const event = liveEventOf(live, lastTradeTime)
    const same = folded !== undefined && trades.length > 0 && Buffer.compare(folded, live.bar) === 0
    if (!same) {
      if (folded !== undefined && trades.length > 0 && this.#bar?.openTime === live.openTime) this.differing++
      this.#bar = undefined
      steps.push(event)
    }
    this.#bytes = live.bar
    if (lastTradeTime !== 0) this.#tradeTime = lastTradeTime
    return { everyTrade: steps, latest: [...closed, event] }
  }

  /** An event for each trade of the live bar; a closed bar stands where the first trade of the next one follows. */
  #fold(
    symbol: string,
    trades: readonly Trade[],
    scales: Scales,
    previousTradeId: number,
    closed: readonly SeriesEvent[],
  ): SeriesEvent[] {
    const events: SeriesEvent[] = []
    let nextClosed = 0
    let lastId = previousTradeId
    this.#bar ??= this.#bytes && barOfText(decodeBar(this.#bytes), scales)
    for (const trade of trades) {
      const openTime = openTimeOf(this.#interval, trade.tradeTime)
      const whole = trade.tradeId === lastId + 1
      lastId = trade.tradeId
      if (this.#bar !== undefined && !whole) this.#bar = { ...this.#bar, complete: false }
      // A late trade: its bar is among the corrected ones.
      if (this.#bar !== undefined && openTime < this.#bar.openTime) continue
      if (this.#bar === undefined || openTime > this.#bar.openTime) {
        for (; nextClosed < closed.length; nextClosed++) {
          const event = closed[nextClosed]!
          if (event.type !== 'closed' || event.openTime >= openTime) break
          events.push(event)
        }
        this.#bar = barOfTrade(symbol, this.#interval, openTime, trade, scales, whole)
      } else {
        this.#bar = applyTradeToBar(this.#bar, trade, scales)
      }
      const bytes = encodeBar(textOfBar(this.#bar, scales))
      events.push({ type: 'update', openTime, frame: frameBarEvent('update', bytes, trade.tradeTime) })
    }
    for (; nextClosed < closed.length; nextClosed++) events.push(closed[nextClosed]!)
    return events
  }
}

function closedEventOf(bar: IntervalBar): SeriesEvent {
  const type = bar.corrected ? 'corrected' : 'closed'
  return { type, openTime: bar.openTime, frame: frameBarEvent(type, bar.bar, 0) }
}

function liveEventOf(bar: IntervalBar, tradeTime: number): SeriesEvent {
  return { type: 'update', openTime: bar.openTime, frame: frameBarEvent('update', bar.bar, tradeTime) }
}

function barOfText(text: BarText, scales: Scales): Bar {
  return {
    symbol: text.symbol,
    interval: text.interval,
    openTime: text.openTime,
    open: parseDecimal(text.open, scales.price),
    high: parseDecimal(text.high, scales.price),
    low: parseDecimal(text.low, scales.price),
    close: parseDecimal(text.close, scales.price),
    baseVolume: parseDecimal(text.baseVolume, scales.quantity),
    quoteVolume: parseDecimal(text.quoteVolume, scales.quote),
    takerBuyBaseVolume: parseDecimal(text.takerBuyBaseVolume, scales.quantity),
    takerBuyQuoteVolume: parseDecimal(text.takerBuyQuoteVolume, scales.quote),
    tradeCount: text.tradeCount,
    firstTradeId: text.firstTradeId,
    lastTradeId: text.lastTradeId,
    state: text.state,
    revision: text.revision,
    complete: text.complete,
  }
}
