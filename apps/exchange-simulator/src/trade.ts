/**
 * One match, as the exchange keeps it. Price and quantity stay in the text the wire carries (always 8 decimals), so
 * what a socket, a REST answer and the oracle see is the same characters.
 */
export interface Trade {
  readonly tradeId: number
  readonly price: string
  readonly quantity: string
  /** When it was matched, ms. Bars are cut by it. */
  readonly tradeTime: number
  /** When the exchange sends it, ms; never before `tradeTime`, never decreasing with the id. */
  readonly eventTime: number
  readonly buyerIsMaker: boolean
}

/** Decimals of every number on the wire, and of the quote precision at which the exchange cuts off. */
const decimals = 8
const one = 10n ** BigInt(decimals)

/** `61837.63000000` as 6183763000000n. The text has exactly 8 decimals. */
export function unitsOf(text: string): bigint {
  return BigInt(text.replace('.', ''))
}

/** 6183763000000n as `61837.63000000`. Never negative: prices and volumes are not. */
export function textOfUnits(units: bigint): string {
  const digits = units.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** Price times quantity, cut off (never rounded) at 8 decimals, as the exchange's quoteQty and its klines have it. */
export function quoteUnitsOf(price: bigint, quantity: bigint): bigint {
  return (price * quantity) / one
}

export function quoteQuantityOf(trade: Trade): string {
  return textOfUnits(quoteUnitsOf(unitsOf(trade.price), unitsOf(trade.quantity)))
}

/** `0.00224` as `0.00224000`: files of other hands leave trailing zeros out. */
export function withEightDecimals(text: string): string {
  const match = /^(\d+)(?:\.(\d*))?$/.exec(text)
  const fraction = match?.[2]?.replace(/0+$/, '') ?? ''
  if (!match || fraction.length > decimals) throw new Error(`not a decimal of at most 8 places: ${text}`)
  return `${match[1]}.${fraction.padEnd(decimals, '0')}`
}

const powersOfTen = Array.from({ length: 9 }, (_, power) => 10 ** power)
const zeros = Array.from({ length: 9 }, (_, count) => '0'.repeat(count))

/** `steps` of size 10^-places as wire text; 6183763 with 2 places is `61837.63000000`. Exact below 2^53 steps. */
export function textOfSteps(steps: number, places: number): string {
  const power = powersOfTen[places]!
  const whole = Math.floor(steps / power)
  if (places === 0) return `${whole}.00000000`
  return `${whole}.${String(steps - whole * power).padStart(places, '0')}${zeros[decimals - places]}`
}
