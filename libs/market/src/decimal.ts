/**
 * Decimals as scaled integers: the value 61837.63 at scale 8 is 6183763000000n. Exact at any scale; floats never appear.
 */

/** A text that is no plain decimal, or one that the scale cannot hold exactly. */
export class DecimalError extends Error {
  override name = 'DecimalError'
}

const PLAIN = /^(-?)(\d+)(?:\.(\d*))?$/

/** 10^exponent; the small ones are kept, since every conversion asks for one. */
export function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent)
}
const POWERS = Array.from({ length: 40 }, (_, exponent) => 10n ** BigInt(exponent))

/** Digits that a double holds exactly, whatever they are: 2^53 has 16. */
const SAFE_DIGITS = 15

/**
 * `text` ("61837.63000000") as an integer of 10^-scale. Digits beyond the scale must be zeros, so nothing is ever cut off.
 * @throws DecimalError when the text is not a plain decimal or needs more decimals than `scale`
 */
export function parseDecimal(text: string, scale: number): bigint {
  const dot = text.indexOf('.')
  // The exchange's own form, eight decimals at scale eight, is nearly every call: digits gathered in a number are
  // twice as fast as BigInt(text) and safe up to 15 digits.
  if (dot > 0 && text.length - dot - 1 === scale && text.length <= SAFE_DIGITS + 1) {
    let value = 0
    for (let index = 0; index < text.length; index++) {
      if (index === dot) continue
      const digit = text.charCodeAt(index) - 48
      if (digit < 0 || digit > 9) return parseAnyDecimal(text, scale)
      value = value * 10 + digit
    }
    return BigInt(value)
  }
  return parseAnyDecimal(text, scale)
}

function parseAnyDecimal(text: string, scale: number): bigint {
  const match = PLAIN.exec(text)
  if (match === null) throw new DecimalError(`"${text.slice(0, 40)}" is not a decimal such as 61837.63`)
  const whole = match[2] ?? ''
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > scale) {
    throw new DecimalError(`"${text.slice(0, 40)}" has ${fraction.length} decimals, more than the scale of ${scale}`)
  }
  const value = BigInt(whole + fraction.padEnd(scale, '0'))
  return match[1] === '-' ? -value : value
}

/** The inverse of parseDecimal, always with `scale` decimals, as the exchange prints it: 6183763000000n → "61837.63000000". */
export function formatDecimal(value: bigint, scale: number): string {
  if (value < 0n) return `-${formatDecimal(-value, scale)}`
  const digits = value.toString()
  if (scale === 0) return digits
  if (digits.length > scale) return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return `0.${digits.padStart(scale, '0')}`
}

/** How many decimals a symbol's prices, quantities and quote volumes are kept with. */
export interface Scales {
  readonly price: number
  readonly quantity: number
  /** The symbol's quote asset precision: the exchange cuts each trade's price × quantity off here. */
  readonly quote: number
}

/** What the exchange sends for every symbol: all wire numbers carry eight decimals. */
export const EXCHANGE_SCALES: Scales = { price: 8, quantity: 8, quote: 8 }

/**
 * price × quantity cut off (towards zero, not rounded) at the quote scale, as the exchange adds it to a kline:
 * 1,000 of 1,000 recorded ETHBTC trades fit the cut, 528 would fit rounding.
 */
export function quoteVolumeOf(price: bigint, quantity: bigint, scales: Scales): bigint {
  const surplus = scales.price + scales.quantity - scales.quote
  return surplus >= 0 ? (price * quantity) / powerOfTen(surplus) : price * quantity * powerOfTen(-surplus)
}
