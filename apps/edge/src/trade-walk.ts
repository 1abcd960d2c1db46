import { decodeBar, encodeExactBar, type IntervalBar } from '@chart/grpc'
import {
  applyTradeToBar,
  type Bar,
  type BarText,
  barOfTrade,
  type Interval,
  isFlat,
  openTimeOf,
  type Scales,
  type Trade,
} from '@chart/market'
import { type ClosedEvent, liveEventOf, type SeriesEvent } from './series-event.ts'

/** A bar of the update that closed or was corrected. */
export interface ClosedBar {
  readonly event: ClosedEvent
  readonly bar: BarText
}

/**
 * The way through the trades of one update: an event for each that changes the live bar, and the closed bars where they belong. A
 * bar closes before the first trade of the next one; a correction stands at its late trade.
 */
export class TradeWalk {
  readonly events: SeriesEvent[] = []
  /** The live bar; undefined when it has closed and no trade of the next one has come. */
  bar: Bar | undefined
  /** Bytes of `bar`, once a trade has changed it. */
  bytes: Uint8Array | undefined
  readonly #interval: Interval
  readonly #scales: Scales
  readonly #closed: readonly ClosedBar[]
  readonly #live: IntervalBar | undefined
  #nextClosed = 0
  /** A trade before this time is late. */
  #lateBefore: number

  constructor(
    interval: Interval,
    scales: Scales,
    bar: Bar | undefined,
    closed: readonly ClosedBar[],
    live: IntervalBar | undefined,
  ) {
    this.#interval = interval
    this.#scales = scales
    this.bar = bar
    this.#closed = closed
    this.#live = live
    this.#lateBefore = bar?.openTime ?? Number.NEGATIVE_INFINITY
  }

  applyAll(symbol: string, trades: readonly Trade[], previousTradeId: number): void {
    const lastHole = lastHoleOf(trades, previousTradeId)
    let lastId = previousTradeId
    let spoilt = false
    for (const [index, trade] of trades.entries()) {
      const follows = lastId < 0 || trade.tradeId === lastId + 1
      lastId = trade.tradeId
      const openTime = openTimeOf(this.#interval, trade.tradeTime)
      this.#tellThrough(closed => closed.event.openTime < openTime && closedBefore(closed, trade))
      if (openTime < this.#lateBefore || this.#isClosed(openTime, trade)) {
        this.#tellThrough(closed => closed.event.openTime === openTime && closed.bar.lastTradeId <= trade.tradeId)
        if (this.bar !== undefined) this.#change(afterLateTrade(this.bar, trade, follows), trade)
        else spoilt ||= !follows
      } else if (this.bar?.openTime === openTime) {
        const bar = follows ? this.bar : { ...this.bar, complete: false }
        this.#change(applyTradeToBar(bar, trade, this.#scales), trade)
      } else {
        // What no trade tells: a bar that was begun before the feed was whole cannot be complete.
        const complete = follows && ((index < lastHole && !spoilt) || this.#isCompleteAtEnd(openTime))
        this.#lateBefore = openTime
        this.#change(barOfTrade(symbol, this.#interval, openTime, trade, this.#scales, complete), trade)
      }
    }
    this.#tellThrough(() => true)
  }

  #change(bar: Bar, trade: Trade): void {
    if (bar === this.bar) return
    this.bar = bar
    this.bytes = encodeExactBar(bar, this.#scales)
    this.events.push(liveEventOf('update', bar.openTime, this.bytes, trade.tradeTime, trade.tradeId))
  }

  /** Tells the closed bars up to the last one that `due` picks. */
  #tellThrough(due: (closed: ClosedBar) => boolean): void {
    if (this.#nextClosed === this.#closed.length) return
    const last = this.#closed.findLastIndex(due)
    for (; this.#nextClosed <= last; this.#nextClosed++) {
      const { event } = this.#closed[this.#nextClosed]!
      this.events.push(event)
      if (event.type !== 'closed') continue
      this.#lateBefore = Math.max(this.#lateBefore, event.openTime + this.#interval.intervalMs)
      if (this.bar === undefined || this.bar.openTime >= this.#lateBefore) continue
      this.bar = undefined
      this.bytes = undefined
    }
  }

  /** A watermark inside the batch may have closed the bar before `trade` came. */
  #isClosed(openTime: number, trade: Trade): boolean {
    return this.#closed.some(closed => closed.event.openTime === openTime && closedBefore(closed, trade))
  }

  #isCompleteAtEnd(openTime: number): boolean {
    if (this.#live?.openTime === openTime) return decodeBar(this.#live.bar).complete
    return this.#closed.find(({ event }) => event.openTime === openTime)?.bar.complete ?? true
  }
}

/** The bar was closed when `trade` came. */
function closedBefore({ event, bar }: ClosedBar, trade: Trade): boolean {
  return event.type === 'closed' && bar.lastTradeId < trade.tradeId
}

/** A late trade is in another bar; a live bar without trades repeats its price, and trades missing before it may be anywhere. */
function afterLateTrade(bar: Bar, trade: Trade, follows: boolean): Bar {
  let after = bar
  if (isFlat(bar) && bar.close !== trade.price) {
    after = { ...after, open: trade.price, high: trade.price, low: trade.price, close: trade.price }
  }
  return follows || !after.complete ? after : { ...after, complete: false }
}

/** Index of the last trade whose id does not follow on; −1 when all do. */
function lastHoleOf(trades: readonly Trade[], previousTradeId: number): number {
  const before = previousTradeId < 0 ? (trades[0]?.tradeId ?? 0) - 1 : previousTradeId
  if (trades[trades.length - 1]?.tradeId === before + trades.length) return -1
  return trades.findLastIndex((trade, index) => trade.tradeId !== (trades[index - 1]?.tradeId ?? before) + 1)
}
