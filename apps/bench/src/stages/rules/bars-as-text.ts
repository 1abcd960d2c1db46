import type { TradeRow } from '../../harness/generated-trades.ts'

/** A bar in a form in which the bars of all ways can be compared. */
export interface BarAsText {
  readonly symbol: string
  readonly interval: string
  readonly openTime: number
  /**
   * open, high, low, close, tradeCount, baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume, in this order, decimals with
   * eight digits; a way that does not have the last ones leaves them out.
   */
  readonly numbers: readonly string[]
}

/**
 * One way from trades to bars: what it prepares of `rows` is not measured, what the returned function does is.
 * @param keepsAll false where a way may let go of bars that have closed, as a service does once it has written them down
 */
export type Way = (rows: readonly TradeRow[], keepsAll: boolean) => () => Bars

/** The bars that were made and kept, as text when someone asks. */
export type Bars = () => BarAsText[]

/** A double at the exchange's eight decimals. */
export function textOfDouble(value: number): string {
  return value.toFixed(8)
}
