import { quoteUnitsOf, type Trade, textOfUnits, unitsOf } from './trade.ts'

/** The lengths of bars that the exchange offers here, ms. */
export const intervals = {
  '1s': 1000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
} as const

export type Interval = keyof typeof intervals

export function isInterval(text: string): text is Interval {
  return Object.hasOwn(intervals, text)
}

export function openTimeOf(time: number, intervalMs: number): number {
  return Math.floor(time / intervalMs) * intervalMs
}

/** Prices and volumes are whole multiples of 1e-8. */
export interface Bar {
  readonly openTime: number
  open: bigint
  high: bigint
  low: bigint
  close: bigint
  baseVolume: bigint
  quoteVolume: bigint
  takerBuyBaseVolume: bigint
  takerBuyQuoteVolume: bigint
  tradeCount: number
  firstTradeId: number
  lastTradeId: number
}

/** A bar at rest: what the exchange makes of a span without trades. Ids are −1. */
export function flatBar(openTime: number, price: bigint): Bar {
  return {
    openTime,
    open: price,
    high: price,
    low: price,
    close: price,
    baseVolume: 0n,
    quoteVolume: 0n,
    takerBuyBaseVolume: 0n,
    takerBuyQuoteVolume: 0n,
    tradeCount: 0,
    firstTradeId: -1,
    lastTradeId: -1,
  }
}

/** Counts one more trade, of the next higher id. Quote volume is cut off trade by trade. */
export function addTrade(bar: Bar, trade: Trade): void {
  const price = unitsOf(trade.price)
  const quantity = unitsOf(trade.quantity)
  const quote = quoteUnitsOf(price, quantity)
  if (bar.tradeCount === 0) {
    bar.open = bar.high = bar.low = price
    bar.firstTradeId = trade.tradeId
  }
  if (price > bar.high) bar.high = price
  if (price < bar.low) bar.low = price
  bar.close = price
  bar.baseVolume += quantity
  bar.quoteVolume += quote
  if (!trade.buyerIsMaker) {
    bar.takerBuyBaseVolume += quantity
    bar.takerBuyQuoteVolume += quote
  }
  bar.tradeCount += 1
  bar.lastTradeId = trade.tradeId
}

/** The numbers of a bar as the wire writes them. */
export function barText(bar: Bar) {
  return {
    open: textOfUnits(bar.open),
    high: textOfUnits(bar.high),
    low: textOfUnits(bar.low),
    close: textOfUnits(bar.close),
    baseVolume: textOfUnits(bar.baseVolume),
    quoteVolume: textOfUnits(bar.quoteVolume),
    takerBuyBaseVolume: textOfUnits(bar.takerBuyBaseVolume),
    takerBuyQuoteVolume: textOfUnits(bar.takerBuyQuoteVolume),
  }
}
