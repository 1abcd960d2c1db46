import { formatDecimal, parseDecimal, quoteVolumeOf, type Scales } from './decimal.ts'
import { type Interval, intervalOf } from './interval.ts'
import type { Trade } from './trade.ts'

/**
 * Open, high, low, close and volumes of one symbol over one interval. Prices and volumes are scaled integers.
 * `live` still takes trades; `closed` changes only by a correction, which raises `revision`.
 */
export interface Bar {
  readonly symbol: string
  /** Name of the interval, `1m`. */
  readonly interval: string
  /** Start, inclusive, in milliseconds; with symbol and interval the bar's identity. */
  readonly openTime: number
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly baseVolume: bigint
  readonly quoteVolume: bigint
  readonly takerBuyBaseVolume: bigint
  readonly takerBuyQuoteVolume: bigint
  readonly tradeCount: number
  /** −1 in a flat bar, which had no trades. */
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly state: BarState
  /** 0 until the first correction of the closed bar; each correction adds one. */
  readonly revision: number
  /** True when every trade of the bar is known to be in it: ids without a hole, from the last one before it on. */
  readonly complete: boolean
}

export type BarState = 'live' | 'closed'

/**
 * What is known of a stored bar besides its trades. `verified`: the exchange's own bar has the same numbers. `imported`: it was taken
 * over from the exchange's own bar, and its trades were not seen: ids −1, not complete.
 */
export type BarProof = 'verified' | 'imported'

/** First millisecond after the bar. */
export function nextOpenTimeOf(bar: Bar): number {
  return bar.openTime + intervalOf(bar.interval).intervalMs
}

/** Last millisecond inside the bar, as the exchange writes it (…59999). */
export function closeTimeOf(bar: Bar): number {
  return nextOpenTimeOf(bar) - 1
}

/** True for a bar without trades. */
export function isFlat(bar: Bar): boolean {
  return bar.tradeCount === 0
}

/** The live bar that `trade` opens. */
export function barOfTrade(
  symbol: string,
  interval: Interval,
  openTime: number,
  trade: Trade,
  scales: Scales,
  complete: boolean,
): Bar {
  const quoteVolume = quoteVolumeOf(trade.price, trade.quantity, scales)
  const takerBought = trade.takerSide === 'buy'
  return {
    symbol,
    interval: interval.name,
    openTime,
    open: trade.price,
    high: trade.price,
    low: trade.price,
    close: trade.price,
    baseVolume: trade.quantity,
    quoteVolume,
    takerBuyBaseVolume: takerBought ? trade.quantity : 0n,
    takerBuyQuoteVolume: takerBought ? quoteVolume : 0n,
    tradeCount: 1,
    firstTradeId: trade.tradeId,
    lastTradeId: trade.tradeId,
    state: 'live',
    revision: 0,
    complete,
  }
}

/**
 * The bar of a time without trades, as the exchange makes it: all four prices are the previous close, the volumes are
 * zero, the ids −1.
 */
export function flatBar(
  symbol: string,
  interval: Interval,
  openTime: number,
  price: bigint,
  state: BarState,
  complete: boolean,
): Bar {
  return {
    symbol,
    interval: interval.name,
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
    state,
    revision: 0,
    complete,
  }
}

/**
 * `bar` with one more trade. Trades come in tradeId order; one already counted returns the same bar, so a replay is
 * harmless. State, revision and completeness are the caller's to judge.
 */
export function applyTradeToBar(bar: Bar, trade: Trade, scales: Scales): Bar {
  if (trade.tradeId <= bar.lastTradeId) return bar
  const flat = bar.tradeCount === 0
  const quoteVolume = quoteVolumeOf(trade.price, trade.quantity, scales)
  const takerBought = trade.takerSide === 'buy'
  return {
    symbol: bar.symbol,
    interval: bar.interval,
    openTime: bar.openTime,
    open: flat ? trade.price : bar.open,
    high: flat || trade.price > bar.high ? trade.price : bar.high,
    low: flat || trade.price < bar.low ? trade.price : bar.low,
    close: trade.price,
    baseVolume: bar.baseVolume + trade.quantity,
    quoteVolume: bar.quoteVolume + quoteVolume,
    takerBuyBaseVolume: takerBought ? bar.takerBuyBaseVolume + trade.quantity : bar.takerBuyBaseVolume,
    takerBuyQuoteVolume: takerBought ? bar.takerBuyQuoteVolume + quoteVolume : bar.takerBuyQuoteVolume,
    tradeCount: bar.tradeCount + 1,
    firstTradeId: flat ? trade.tradeId : bar.firstTradeId,
    lastTradeId: trade.tradeId,
    state: bar.state,
    revision: bar.revision,
    complete: bar.complete,
  }
}

/**
 * Two parts of one longer bar, put together; identity and state come from `whole`. Open belongs to the lower first trade
 * id and close to the higher last one, so the order of the parts does not matter, and a late trade counted in the earlier
 * part keeps its place. Flat parts add nothing.
 */
export function mergeBars(whole: Bar, part: Bar): Bar {
  if (part.tradeCount === 0) return part.complete ? whole : { ...whole, complete: false }
  const flat = whole.tradeCount === 0
  return {
    symbol: whole.symbol,
    interval: whole.interval,
    openTime: whole.openTime,
    open: flat || part.firstTradeId < whole.firstTradeId ? part.open : whole.open,
    high: flat || part.high > whole.high ? part.high : whole.high,
    low: flat || part.low < whole.low ? part.low : whole.low,
    close: part.lastTradeId > whole.lastTradeId ? part.close : whole.close,
    baseVolume: whole.baseVolume + part.baseVolume,
    quoteVolume: whole.quoteVolume + part.quoteVolume,
    takerBuyBaseVolume: whole.takerBuyBaseVolume + part.takerBuyBaseVolume,
    takerBuyQuoteVolume: whole.takerBuyQuoteVolume + part.takerBuyQuoteVolume,
    tradeCount: whole.tradeCount + part.tradeCount,
    firstTradeId: flat || part.firstTradeId < whole.firstTradeId ? part.firstTradeId : whole.firstTradeId,
    lastTradeId: Math.max(part.lastTradeId, whole.lastTradeId),
    state: whole.state,
    revision: whole.revision,
    complete: whole.complete && part.complete,
  }
}

/** The nine numbers of a bar as the exchange prints them, plus what proves them: what every wire and table carries. */
export interface BarText {
  readonly symbol: string
  readonly interval: string
  readonly openTime: number
  readonly closeTime: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly baseVolume: string
  readonly quoteVolume: string
  readonly takerBuyBaseVolume: string
  readonly takerBuyQuoteVolume: string
  readonly tradeCount: number
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly state: BarState
  readonly revision: number
  readonly complete: boolean
  /** Absent in a bar that was made of trades and not compared with the exchange's own, as every bar is at first. */
  readonly proof?: BarProof
}

/** `bar` with its decimals as text, for any edge of the system. */
export function textOfBar(bar: Bar, scales: Scales): BarText {
  return {
    symbol: bar.symbol,
    interval: bar.interval,
    openTime: bar.openTime,
    closeTime: closeTimeOf(bar),
    open: formatDecimal(bar.open, scales.price),
    high: formatDecimal(bar.high, scales.price),
    low: formatDecimal(bar.low, scales.price),
    close: formatDecimal(bar.close, scales.price),
    baseVolume: formatDecimal(bar.baseVolume, scales.quantity),
    quoteVolume: formatDecimal(bar.quoteVolume, scales.quote),
    takerBuyBaseVolume: formatDecimal(bar.takerBuyBaseVolume, scales.quantity),
    takerBuyQuoteVolume: formatDecimal(bar.takerBuyQuoteVolume, scales.quote),
    tradeCount: bar.tradeCount,
    firstTradeId: bar.firstTradeId,
    lastTradeId: bar.lastTradeId,
    state: bar.state,
    revision: bar.revision,
    complete: bar.complete,
  }
}

/**
 * The inverse of textOfBar.
 * @throws DecimalError when a number has more decimals than the symbol
 */
export function barOfText(text: BarText, scales: Scales): Bar {
  const { closeTime, proof, ...same } = text
  return {
    ...same,
    open: parseDecimal(text.open, scales.price),
    high: parseDecimal(text.high, scales.price),
    low: parseDecimal(text.low, scales.price),
    close: parseDecimal(text.close, scales.price),
    baseVolume: parseDecimal(text.baseVolume, scales.quantity),
    quoteVolume: parseDecimal(text.quoteVolume, scales.quote),
    takerBuyBaseVolume: parseDecimal(text.takerBuyBaseVolume, scales.quantity),
    takerBuyQuoteVolume: parseDecimal(text.takerBuyQuoteVolume, scales.quote),
  }
}
