import { formatDecimal, isSafe, numberOf } from '@chart/market'

/**
 * Writes protobuf messages of short texts and integers into one buffer that is used again and again: 2 µs for a bar where the writer of
 * protobufjs, which makes a list of operations first, takes 5. A message is finished before the next one begins: they share the buffer.
 */

const VARINT = 0
const LENGTH = 2

/** A tag or a length as a varint. */
const LENGTH_BYTES_MAX = 5

/** Decimals that are written digit by digit: as many as 32 bits hold. The exchange's largest scale is 8. */
const DIGITS_MAX = 9
const POWERS_OF_TEN = Array.from({ length: DIGITS_MAX + 1 }, (_, scale) => 10 ** scale)
const INT32_MAX = 2 ** 31 - 1
const ZERO = 0x30
const POINT = 0x2e

let scratch = Buffer.allocUnsafe(4_096)

export class MessageWriter {
  #end = 0

  /** A text; written even when empty. */
  text(field: number, text: string): void {
    this.#reserve(text.length + 2 * LENGTH_BYTES_MAX)
    this.#varint((field << 3) | LENGTH)
    const start = this.#end + 1
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code >= 0x80 || index >= 0x7f) {
        this.#withLength(Buffer.from(text))
        return
      }
      scratch[start + index] = code
    }
    scratch[this.#end] = text.length
    this.#end = start + text.length
  }

  /** `formatDecimal(value, scale)` as a text, digit by digit where they fit: the strings that make one cost more than all the rest. */
  decimal(field: number, value: bigint, scale: number): void {
    if (scale < 1 || scale > DIGITS_MAX || !isSafe(value)) {
      this.text(field, formatDecimal(value, scale))
      return
    }
    const number = numberOf(value)
    const unit = POWERS_OF_TEN[scale]!
    // Below 2^53 a quotient that is no integer is further from the next one than its last bit.
    const whole = Math.floor(number / unit)
    if (whole > INT32_MAX) {
      this.text(field, formatDecimal(value, scale))
      return
    }
    const wholeDigits = digitsOf(whole)
    this.#reserve(wholeDigits + 1 + scale + 2 * LENGTH_BYTES_MAX)
    this.#varint((field << 3) | LENGTH)
    scratch[this.#end++] = wholeDigits + 1 + scale
    this.#digits(whole, wholeDigits)
    scratch[this.#end++] = POINT
    this.#digits(number - whole * unit, scale)
  }

  /** The lowest `count` digits of a number of 32 bits. */
  #digits(number: number, count: number): void {
    let rest = number | 0
    for (let at = this.#end + count - 1; at >= this.#end; at--) {
      const next = (rest / 10) | 0
      scratch[at] = ZERO + rest - next * 10
      rest = next
    }
    this.#end += count
  }

  /** An integer below 2^53; absent when zero, as proto3 wants it. */
  integer(field: number, value: number): void {
    if (value === 0) return
    this.#reserve(32)
    this.#varint((field << 3) | VARINT)
    if (value > 0) this.#varint(value)
    else this.#negative(value)
  }

  /** A `google.protobuf.Timestamp` of a time in milliseconds. */
  time(field: number, time: number): void {
    this.#reserve(48)
    this.#varint((field << 3) | LENGTH)
    const length = this.#end++
    const seconds = Math.floor(time / 1_000)
    this.integer(1, seconds)
    this.integer(2, (time - seconds * 1_000) * 1_000_000)
    scratch[length] = this.#end - length - 1
  }

  /** Begins a message inside; what is written until `end` belongs to it. Gives what `end` wants. */
  begin(field: number): number {
    this.#reserve(2 * LENGTH_BYTES_MAX)
    this.#varint((field << 3) | LENGTH)
    // Most lengths need one byte; where more are needed the message moves on.
    this.#end++
    return this.#end
  }

  end(start: number): void {
    const length = this.#end - start
    const more = varintBytesOf(length) - 1
    if (more > 0) {
      this.#reserve(more)
      scratch.copyWithin(start + more, start, this.#end)
    }
    this.#end = start - 1
    this.#varint(length)
    this.#end = start + more + length
  }

  /** Bytes, or a message that is ready. */
  bytes(field: number, bytes: Uint8Array): void {
    this.#reserve(LENGTH_BYTES_MAX)
    this.#varint((field << 3) | LENGTH)
    this.#withLength(bytes)
  }

  /** Fields that are encoded already. */
  append(fields: Uint8Array): void {
    this.#reserve(fields.length)
    scratch.set(fields, this.#end)
    this.#end += fields.length
  }

  /** What was written, as a field of the message around it: tag and length before it. */
  finishAs(field: number): Uint8Array {
    const length = this.#end
    this.#reserve(2 * LENGTH_BYTES_MAX)
    this.#varint((field << 3) | LENGTH)
    this.#varint(length)
    const framed = Buffer.allocUnsafe(this.#end)
    scratch.copy(framed, 0, length, this.#end)
    scratch.copy(framed, this.#end - length, 0, length)
    return framed
  }

  #withLength(bytes: Uint8Array): void {
    this.#reserve(bytes.length + LENGTH_BYTES_MAX)
    this.#varint(bytes.length)
    scratch.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** What was written, as bytes of its own. */
  finish(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#end)
    scratch.copy(bytes, 0, 0, this.#end)
    return bytes
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      scratch[this.#end++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    scratch[this.#end++] = rest
  }

  /** Ten bytes, as of a 64-bit integer. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest >= 0x80n; rest >>= 7n) scratch[this.#end++] = Number(rest & 0x7fn) | 0x80
    scratch[this.#end++] = Number(rest)
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= scratch.length) return
    const larger = Buffer.allocUnsafe((this.#end + bytes) * 2)
    scratch.copy(larger, 0, 0, this.#end)
    scratch = larger
  }
}

function digitsOf(number: number): number {
  let count = 1
  while (count <= DIGITS_MAX && number >= POWERS_OF_TEN[count]!) count++
  return count
}

function varintBytesOf(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++
  return count
}
