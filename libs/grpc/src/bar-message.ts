import { type Bar, type BarProof, type BarState, type BarText, closeTimeOf, type Scales } from '@chart/market'
import protobuf from 'protobufjs/minimal.js'
import { MessageWriter } from './message-writer.ts'

/**
 * `chart.v1.Bar` and back. Bars are encoded by hand, since a live bar is encoded once per trade: with message-writer, and
 * byte for byte the same for the same bar, so that bytes can be compared.
 */

/** The wire type of lengths: strings, bytes and messages. */
const LENGTH = 2

const STATE_NUMBERS: Record<BarState, number> = { live: 1, closed: 2 }
const PROOF_NUMBERS: Record<BarProof, number> = { verified: 1, imported: 2 }

/** Bytes of a `chart.v1.Bar`. */
export function encodeBar(bar: BarText): Uint8Array {
  const writer = new MessageWriter()
  writeIdentity(writer, bar, bar.closeTime)
  writer.text(5, bar.open)
  writer.text(6, bar.high)
  writer.text(7, bar.low)
  writer.text(8, bar.close)
  writer.text(9, bar.baseVolume)
  writer.text(10, bar.quoteVolume)
  writer.text(11, bar.takerBuyBaseVolume)
  writer.text(12, bar.takerBuyQuoteVolume)
  writeCounts(writer, bar)
  if (bar.proof !== undefined) writer.integer(19, PROOF_NUMBERS[bar.proof])
  return writer.finish()
}

/** Bytes of `encodeBar(textOfBar(bar, scales))`, in half the time: 0.9 µs where that takes 2. */
export function encodeExactBar(bar: Bar, scales: Scales): Uint8Array {
  const writer = new MessageWriter()
  writeIdentity(writer, bar, closeTimeOf(bar))
  writer.decimal(5, bar.open, scales.price)
  writer.decimal(6, bar.high, scales.price)
  writer.decimal(7, bar.low, scales.price)
  writer.decimal(8, bar.close, scales.price)
  writer.decimal(9, bar.baseVolume, scales.quantity)
  writer.decimal(10, bar.quoteVolume, scales.quote)
  writer.decimal(11, bar.takerBuyBaseVolume, scales.quantity)
  writer.decimal(12, bar.takerBuyQuoteVolume, scales.quote)
  writeCounts(writer, bar)
  return writer.finish()
}

function writeIdentity(writer: MessageWriter, bar: Bar | BarText, closeTime: number): void {
  writer.text(1, bar.symbol)
  writer.text(2, bar.interval)
  writer.time(3, bar.openTime)
  writer.time(4, closeTime)
}

function writeCounts(writer: MessageWriter, bar: Bar | BarText): void {
  writer.integer(13, bar.tradeCount)
  writer.integer(14, bar.firstTradeId)
  writer.integer(15, bar.lastTradeId)
  writer.integer(16, STATE_NUMBERS[bar.state])
  writer.integer(17, bar.revision)
  writer.integer(18, bar.complete ? 1 : 0)
}

/** `google.protobuf.Timestamp` as proto-loader gives it. */
export interface TimestampMessage {
  readonly seconds: number | string
  readonly nanos: number
}

/** Milliseconds of a timestamp; undefined when it is absent. */
export function timeOfTimestamp(timestamp: TimestampMessage | null | undefined): number | undefined {
  if (timestamp === null || timestamp === undefined) return undefined
  return Number(timestamp.seconds) * 1_000 + Math.floor(timestamp.nanos / 1_000_000)
}

/** A time in milliseconds as proto-loader takes it. */
export function timestampOfTime(time: number): TimestampMessage {
  const seconds = Math.floor(time / 1_000)
  return { seconds, nanos: (time - seconds * 1_000) * 1_000_000 }
}

/** `chart.v1.Bar` as proto-loader gives it. */
export interface BarMessage extends Omit<BarText, 'openTime' | 'closeTime' | 'state' | 'proof'> {
  readonly openTime: TimestampMessage
  readonly closeTime: TimestampMessage
  readonly state: 'BAR_STATE_UNSPECIFIED' | 'BAR_STATE_LIVE' | 'BAR_STATE_CLOSED'
  readonly proof: 'BAR_PROOF_UNSPECIFIED' | 'BAR_PROOF_VERIFIED' | 'BAR_PROOF_IMPORTED'
}

const PROOF_NAMES = { verified: 'BAR_PROOF_VERIFIED', imported: 'BAR_PROOF_IMPORTED' } as const

/** The bar that a received message holds. */
export function barOfMessage({ proof, ...message }: BarMessage): BarText {
  const known = proofWhere(name => PROOF_NAMES[name] === proof)
  return {
    ...message,
    openTime: timeOfTimestamp(message.openTime) ?? 0,
    closeTime: timeOfTimestamp(message.closeTime) ?? 0,
    state: message.state === 'BAR_STATE_CLOSED' ? 'closed' : 'live',
    ...(known !== undefined && { proof: known }),
  }
}

/** A proof of a later version of this service is none to this one. */
function proofWhere(holds: (proof: BarProof) => boolean): BarProof | undefined {
  return (['verified', 'imported'] as const).find(holds)
}

/** A bar as a message, for unary answers. */
export function messageOfBar(bar: BarText): BarMessage {
  return {
    ...bar,
    openTime: timestampOfTime(bar.openTime),
    closeTime: timestampOfTime(bar.closeTime),
    state: bar.state === 'closed' ? 'BAR_STATE_CLOSED' : 'BAR_STATE_LIVE',
    proof: bar.proof === undefined ? 'BAR_PROOF_UNSPECIFIED' : PROOF_NAMES[bar.proof],
  }
}

/** The inverse of encodeBar. */
export function decodeBar(bytes: Uint8Array): BarText {
  const reader = protobuf.Reader.create(bytes)
  const texts = new Map<number, string>()
  const integers = new Map<number, number>()
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const field = tag >>> 3
    if (field === 3 || field === 4) integers.set(field, readTimestamp(reader))
    else if ((tag & 7) === LENGTH) texts.set(field, reader.string())
    else if ((tag & 7) === 0) integers.set(field, numberOf(reader.int64()))
    else reader.skipType(tag & 7)
  }
  const text = (field: number) => texts.get(field) ?? ''
  const integer = (field: number) => integers.get(field) ?? 0
  const proof = proofWhere(name => PROOF_NUMBERS[name] === integer(19))
  return {
    symbol: text(1),
    interval: text(2),
    openTime: integer(3),
    closeTime: integer(4),
    open: text(5),
    high: text(6),
    low: text(7),
    close: text(8),
    baseVolume: text(9),
    quoteVolume: text(10),
    takerBuyBaseVolume: text(11),
    takerBuyQuoteVolume: text(12),
    tradeCount: integer(13),
    firstTradeId: integer(14),
    lastTradeId: integer(15),
    state: integer(16) === STATE_NUMBERS.closed ? 'closed' : 'live',
    revision: integer(17),
    complete: integer(18) === 1,
    ...(proof !== undefined && { proof }),
  }
}

function readTimestamp(reader: protobuf.Reader): number {
  const end = reader.uint32() + reader.pos
  let time = 0
  while (reader.pos < end) {
    const field = reader.uint32() >>> 3
    time += field === 1 ? numberOf(reader.int64()) * 1_000 : Math.floor(reader.int32() / 1_000_000)
  }
  return time
}

/** protobufjs gives Long objects where the package `long` is there, numbers where it is not. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber()
}
