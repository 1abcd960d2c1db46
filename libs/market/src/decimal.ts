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
  const dot = text.length - scale - 1
  // The exchange's own form, eight decimals at scale eight, is nearly every call: digits gathered in numbers are several times as fast as
  // BigInt(text) and safe up to 15 of them. Quantities of coins worth less than a cent have more before and after the dot together.
  if (dot > 0 && dot <= SAFE_DIGITS && scale <= SAFE_DIGITS && text.charCodeAt(dot) === DOT) {
    const whole = digitsOf(text, 0, dot)
    const fraction = digitsOf(text, dot + 1, text.length)
    if (whole >= 0 && fraction >= 0) {
      return dot + scale <= SAFE_DIGITS
        ? BigInt(whole * NUMBER_POWERS[scale]! + fraction)
        : BigInt(whole) * powerOfTen(scale) + BigInt(fraction)
    }
  }
  return parseAnyDecimal(text, scale)
}

/** Up to SAFE_DIGITS digits as a number; −1 when something else is among them. */
function digitsOf(text: string, start: number, end: number): number {
  let value = 0
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

const DOT = 0x2e
const NUMBER_POWERS = Array.from({ length: SAFE_DIGITS + 1 }, (_, exponent) => 10 ** exponent)

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
