import { bigintOf, isSafe, numberOf } from './safe-integer.ts'

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
        ? bigintOf(whole * NUMBER_POWERS[scale]! + fraction)
        : bigintOf(whole) * powerOfTen(scale) + bigintOf(fraction)
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
 * @param price not negative, as quantity
 */
export function quoteVolumeOf(price: bigint, quantity: bigint, scales: Scales): bigint {
  const surplus = scales.price + scales.quantity - scales.quote
  if (surplus < 0) return price * quantity * powerOfTen(-surplus)
  if (surplus <= REMAINDER_DIGITS && isSafe(price) && isSafe(quantity)) {
    const quotient = quotientOf(numberOf(price), numberOf(quantity), NUMBER_POWERS[surplus]!)
    if (quotient >= 0) return bigintOf(quotient)
  }
  return (price * quantity) / powerOfTen(surplus)
}

/** Decimals of a divisor of which three fit 32 bits with a sign, as the remainders below need. */
const REMAINDER_DIGITS = 8
/** A product and a quotient below this, rounded to 53 bits each, are less than a half off. */
const ESTIMATE_MAX = 2 ** 50

/**
 * ⌊a × b ÷ divisor⌋ of safe integers, exactly, without the product and the division of BigInts, which are the dearest step of a trade;
 * −1 when it is too large for that. Doubles estimate it, at most one off. What is left over, a × b − estimate × divisor, then lies between
 * −divisor and 2 × divisor, so its lowest 32 bits, which need only the lowest 32 bits of everything, tell what it is.
 */
function quotientOf(a: number, b: number, divisor: number): number {
  const estimate = Math.floor((a * b) / divisor)
  if (estimate >= ESTIMATE_MAX) return -1
  const rest = (Math.imul(a >>> 0, b >>> 0) - Math.imul(estimate >>> 0, divisor)) | 0
  if (rest < 0) return estimate - 1
  return rest >= divisor ? estimate + 1 : estimate
}
