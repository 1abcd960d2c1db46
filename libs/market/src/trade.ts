/** Who crossed the spread: `buy` when the taker bought. */
export type TakerSide = 'buy' | 'sell'

/** One match that the exchange reported. Price and quantity are scaled integers (see decimal.ts). */
export interface Trade {
  /** Per symbol, ascending by one; below 2^53. */
  readonly tradeId: number
  /** When the exchange matched it: integer milliseconds since the epoch, UTC. Bars are cut by it. */
  readonly tradeTime: number
  readonly price: bigint
  /** In the base asset. */
  readonly quantity: bigint
  readonly takerSide: TakerSide
}

/** How far an exchange's clock may stand from any date we take seriously: 2000-01-01 to 2100-01-01. */
export const TRADE_TIME_MIN = 946_684_800_000
export const TRADE_TIME_MAX = 4_102_444_800_000

/**
 * Scaled prices and quantities stay below this: 10^16 whole units at eight decimals, ten thousand times the largest quantity
 * that the exchange's filters allow.
 */
export const TRADE_UNITS_MAX = 10n ** 24n

/**
 * What is wrong with a trade, or undefined when nothing is. An absurd trade is refused where it enters, before it can
 * reach a bar: ids beyond 2^53 would collide, a price of zero or a time in year 50,000 would spoil every interval.
 */
export function tradeFault(trade: Trade): string | undefined {
  if (!Number.isSafeInteger(trade.tradeId) || trade.tradeId < 0)
    return `trade id ${trade.tradeId} is not an id below 2^53`
  if (!Number.isInteger(trade.tradeTime) || trade.tradeTime < TRADE_TIME_MIN || trade.tradeTime > TRADE_TIME_MAX) {
    return `trade time ${trade.tradeTime} is not in milliseconds between 2000 and 2100`
  }
  if (trade.price <= 0n) return 'the price is not above zero'
  if (trade.quantity <= 0n) return 'the quantity is not above zero'
  if (trade.price >= TRADE_UNITS_MAX) return 'the price is absurdly high'
  if (trade.quantity >= TRADE_UNITS_MAX) return 'the quantity is absurdly high'
  return undefined
}
