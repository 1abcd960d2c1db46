import { powerOfTen, type Scales } from './decimal.ts'
import { bigintOf, isSafe, numberOf } from './safe-integer.ts'
import type { Trade } from './trade.ts'

/**
 * A run of trades of one symbol with ascending ids without a hole, in about 10 bytes a trade: what the trade log and the
 * updates carry. Layout, all numbers as varints (7 bits a byte, lowest first):
 *
 *   price scale, quantity scale, quote scale, price zeros, quantity zeros, trade count, first trade id, first trade time,
 *   then per trade: zigzag(time − previous time) × 2 + (taker bought ? 1 : 0), zigzag(price − previous price), quantity
 *
 * "Zeros" are decimal digits that every price (quantity) of the run ends with; they are divided off.
 */
export interface PackedTrades {
  readonly scales: Scales
  readonly trades: readonly Trade[]
}

/** Bytes that a trade can need at most: three varints of 64-bit size, and one more for safety. */
const TRADE_BYTES_MAX = 48
const HEADER_BYTES_MAX = 64

/** Decimals that a scale can have; the exchange's largest is 8. */
const SCALE_MAX = 30

/** Packs `trades`, which must be a run of ids without a hole, at least one. */
export function packTrades(trades: readonly Trade[], scales: Scales): Uint8Array {
  const first = trades[0]
  if (first === undefined) throw new RangeError('packTrades needs at least one trade')
  const priceZeros = commonZeros(trades, 'price', scales.price)
  const quantityZeros = commonZeros(trades, 'quantity', scales.quantity)
  const priceUnit = powerOfTen(priceZeros)
  const quantityUnit = powerOfTen(quantityZeros)
  const writer = new VarintWriter(HEADER_BYTES_MAX + trades.length * TRADE_BYTES_MAX)
  writer.number(scales.price)
  writer.number(scales.quantity)
  writer.number(scales.quote)
  writer.number(priceZeros)
  writer.number(quantityZeros)
  writer.number(trades.length)
  writer.number(first.tradeId)
  writer.number(first.tradeTime)
  let time = first.tradeTime
  let price = 0n
  for (let index = 0; index < trades.length; index++) {
    const trade = trades[index]!
    if (trade.tradeId !== first.tradeId + index) {
      throw new RangeError(`packTrades needs ids without a hole: ${trade.tradeId} is not ${first.tradeId + index}`)
    }
    writer.number(zigzag(trade.tradeTime - time) * 2 + (trade.takerSide === 'buy' ? 1 : 0))
    time = trade.tradeTime
    const units = priceUnit === 1n ? trade.price : trade.price / priceUnit
    const step = units - price
    writer.bigint(step >= 0n ? step * 2n : -step * 2n - 1n)
    price = units
    writer.bigint(quantityUnit === 1n ? trade.quantity : trade.quantity / quantityUnit)
  }
  return writer.bytes()
}

/**
 * The inverse of packTrades.
 * @throws RangeError when the bytes end early or go on too long
 */
export function unpackTrades(bytes: Uint8Array): PackedTrades {
  const reader = new VarintReader(bytes)
  const scales = { price: reader.number(), quantity: reader.number(), quote: reader.number() }
  const priceUnit = unitOf(reader.number(), scales.price)
  const quantityUnit = unitOf(reader.number(), scales.quantity)
  const tradeCount = reader.number()
  const firstTradeId = reader.number()
  let tradeTime = reader.number()
  let price = 0n
  const trades: Trade[] = []
  for (let index = 0; index < tradeCount; index++) {
    const timeAndSide = reader.number()
    tradeTime += unzigzag(Math.floor(timeAndSide / 2))
    const step = reader.bigint()
    price += step % 2n === 0n ? step / 2n : -(step + 1n) / 2n
    const quantity = reader.bigint() * quantityUnit
    const takerSide = timeAndSide % 2 === 1 ? 'buy' : 'sell'
    trades.push({ tradeId: firstTradeId + index, tradeTime, price: price * priceUnit, quantity, takerSide })
  }
  if (!reader.atEnd) throw new RangeError('packed trades go on after their last trade')
  return { scales, trades }
}

/** No more zeros than decimals were divided off; damaged bytes must not ask for a number of a million digits. */
function unitOf(zeros: number, scale: number): bigint {
  if (!(zeros <= scale && scale <= SCALE_MAX)) throw new RangeError(`${zeros} zeros at scale ${scale} cannot be`)
  return powerOfTen(zeros)
}

function commonZeros(trades: readonly Trade[], field: 'price' | 'quantity', scale: number): number {
  let zeros = scale
  for (const trade of trades) {
    while (zeros > 0 && trade[field] % powerOfTen(zeros) !== 0n) zeros--
    if (zeros === 0) break
  }
  return zeros
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Writes unsigned integers, seven bits a byte. Shifts work on 32 bits in JavaScript, so larger numbers are divided. */
export class VarintWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(sizeMax: number) {
    this.#bytes = new Uint8Array(sizeMax)
  }

  number(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  bigint(value: bigint): void {
    if (isSafe(value)) {
      this.number(numberOf(value))
      return
    }
    let rest = value
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  /** @throws RangeError when more was written than there is room for; bytes beyond the end of an array vanish silently */
  bytes(): Uint8Array {
    if (this.#length > this.#bytes.length)
      throw new RangeError(`${this.#length} bytes do not fit ${this.#bytes.length}`)
    return this.#bytes.subarray(0, this.#length)
  }
}

/** Reads what VarintWriter wrote. */
export class VarintReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  number(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#next()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
  }

  bigint(): bigint {
    const start = this.#offset
    let low = 0
    let factor = 1
    for (let count = 0; count < 7; count++) {
      const byte = this.#next()
      low += (byte & 0x7f) * factor
      if (byte < 0x80) return bigintOf(low)
      factor *= 0x80
    }
    this.#offset = start
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#next()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  /** The next `length` bytes, not copied. */
  bytes(length: number): Uint8Array {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new RangeError('packed trades end early')
    const bytes = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  #next(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw new RangeError('packed trades end early')
    return byte
  }
}
