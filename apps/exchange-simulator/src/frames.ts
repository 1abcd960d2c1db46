import { type Bar, barText, type Interval, intervals } from './bar.ts'
import type { SymbolRules } from './symbol-rules.ts'
import { type Trade, textOfSteps, textOfUnits, unitsOf } from './trade.ts'

/** Times on the wire are ms, or microseconds where the client asked for them: ms times 1000. */
export type TimeFactor = 1 | 1000

/** `{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}` */
export function tradeFrame(symbol: string, trade: Trade, eventTime: number, factor: TimeFactor): string {
  return `{"e":"trade","E":${eventTime * factor},"s":"${symbol}","t":${trade.tradeId},"p":"${trade.price}","q":"${trade.quantity}","T":${trade.tradeTime * factor},"m":${trade.buyerIsMaker},"M":true}`
}

/** Fills of one taker order at one price. */
export interface AggregateTrade {
  readonly price: string
  readonly quantity: string
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly tradeTime: number
  readonly eventTime: number
  readonly buyerIsMaker: boolean
}

/** Neighbours of equal time, price and side as one. Trades of one order are sent at one time, so a batch never cuts one. */
export function aggregateTrades(trades: readonly Trade[]): AggregateTrade[] {
  const aggregates: AggregateTrade[] = []
  for (let from = 0; from < trades.length; ) {
    const first = trades[from]!
    let end = from + 1
    while (end < trades.length && isSameOrder(first, trades[end]!)) end++
    const fills = trades.slice(from, end)
    aggregates.push({
      ...first,
      quantity: textOfUnits(fills.reduce((sum, fill) => sum + unitsOf(fill.quantity), 0n)),
      firstTradeId: first.tradeId,
      lastTradeId: fills.at(-1)!.tradeId,
    })
    from = end
  }
  return aggregates
}

export function isSameOrder(one: Trade, other: Trade): boolean {
  return (
    one.tradeTime === other.tradeTime &&
    one.eventTime === other.eventTime &&
    one.price === other.price &&
    one.buyerIsMaker === other.buyerIsMaker
  )
}

/** @NOTE The aggregate's own id `a` is its first trade's id: it ascends and is found without counting aggregates since genesis, but is not contiguous as the exchange's is. */
export function aggregateFrame(symbol: string, trade: AggregateTrade, eventTime: number, factor: TimeFactor): string {
  return `{"e":"aggTrade","E":${eventTime * factor},"s":"${symbol}","a":${trade.firstTradeId},"p":"${trade.price}","q":"${trade.quantity}","f":${trade.firstTradeId},"l":${trade.lastTradeId},"T":${trade.tradeTime * factor},"m":${trade.buyerIsMaker},"M":true}`
}

/** Last moment inside a bar, `…59999` in ms and `…59999999` in microseconds, as the archives have it. */
export function closeTimeOf(openTime: number, interval: Interval, factor: TimeFactor): number {
  return (openTime + intervals[interval]) * factor - 1
}

export interface KlineEvent {
  readonly symbol: string
  readonly interval: Interval
  readonly bar: Bar
  readonly closed: boolean
  readonly eventTime: number
}

export function klineFrame({ symbol, interval, bar, closed, eventTime }: KlineEvent, factor: TimeFactor): string {
  const text = barText(bar)
  return JSON.stringify({
    e: 'kline',
    E: eventTime * factor,
    s: symbol,
    k: {
      t: bar.openTime * factor,
      T: closeTimeOf(bar.openTime, interval, factor),
      s: symbol,
      i: interval,
      f: bar.firstTradeId,
      L: bar.lastTradeId,
      o: text.open,
      c: text.close,
      h: text.high,
      l: text.low,
      v: text.baseVolume,
      n: bar.tradeCount,
      x: closed,
      q: text.quoteVolume,
      V: text.takerBuyBaseVolume,
      Q: text.takerBuyQuoteVolume,
      B: '0',
    },
  })
}

/** Best prices on both sides of the last trade, one tick apart. The frame has no `e`, as the exchange's has none. */
export function bookTickerFrame(rules: SymbolRules, last: Trade): string {
  const lastTicks = Math.round(Number(last.price) * 10 ** rules.priceDecimals)
  const bid = textOfSteps(Math.max(1, last.buyerIsMaker ? lastTicks : lastTicks - 1), rules.priceDecimals)
  const ask = textOfSteps(last.buyerIsMaker ? lastTicks + 1 : lastTicks, rules.priceDecimals)
  return `{"u":${last.tradeId},"s":"${rules.symbol}","b":"${bid}","B":"${last.quantity}","a":"${ask}","A":"${last.quantity}"}`
}
