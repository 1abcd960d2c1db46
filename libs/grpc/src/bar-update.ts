import protobuf from 'protobufjs/minimal.js'
import { numberOf } from './bar-message.ts'
import { MessageWriter } from './message-writer.ts'

/**
 * `chart.v1.PartitionUpdate`, the message of the arrow aggregator → edge: both its ends. Bars stay bytes, so an edge that
 * only forwards them decodes nothing.
 */
export interface PartitionUpdate {
  readonly position: number
  readonly previousPosition: number
  readonly symbols: readonly SymbolUpdate[]
  /** Trace context of the commit, where it was sampled; opaque here. */
  readonly traceparent?: string | undefined
}

export interface SymbolUpdate {
  readonly symbol: string
  readonly throughTradeId: number
  readonly throughTime: number
  readonly live: readonly IntervalBar[]
  readonly closed: readonly IntervalBar[]
  /** The commit's trades in id order, each a run as packTrades makes it. */
  readonly trades: readonly Uint8Array[]
}

export interface IntervalBar {
  readonly interval: string
  readonly openTime: number
  readonly corrected: boolean
  /** Bytes of a `chart.v1.Bar`. */
  readonly bar: Uint8Array
}

export function encodeUpdate(update: PartitionUpdate): Uint8Array {
  const writer = new MessageWriter()
  writer.integer(1, update.position)
  writer.integer(2, update.previousPosition)
  for (const symbol of update.symbols) {
    const start = writer.begin(3)
    writer.text(1, symbol.symbol)
    writer.integer(2, symbol.throughTradeId)
    writer.integer(3, symbol.throughTime)
    for (const bar of symbol.live) writeIntervalBar(writer, 4, bar)
    for (const bar of symbol.closed) writeIntervalBar(writer, 5, bar)
    for (const trades of symbol.trades) writer.bytes(6, trades)
    writer.end(start)
  }
  if (update.traceparent !== undefined) writer.text(4, update.traceparent)
  return writer.finish()
}

function writeIntervalBar(writer: MessageWriter, field: number, bar: IntervalBar): void {
  const start = writer.begin(field)
  writer.text(1, bar.interval)
  writer.integer(2, bar.openTime)
  writer.integer(3, bar.corrected ? 1 : 0)
  writer.bytes(4, bar.bar)
  writer.end(start)
}

/**
 * The inverse of encodeUpdate; fields it does not know are passed over.
 * @throws RangeError when the bytes end early
 */
export function decodeUpdate(bytes: Uint8Array): PartitionUpdate {
  const reader = protobuf.Reader.create(bytes)
  let position = 0
  let previousPosition = 0
  const symbols: SymbolUpdate[] = []
  let traceparent: string | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    switch (tag >>> 3) {
      case 1:
        position = numberOf(reader.int64())
        break
      case 2:
        previousPosition = numberOf(reader.int64())
        break
      case 3:
        symbols.push(readSymbol(reader, reader.uint32() + reader.pos))
        break
      case 4:
        traceparent = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return { position, previousPosition, symbols, traceparent }
}

function readSymbol(reader: protobuf.Reader, end: number): SymbolUpdate {
  let symbol = ''
  let throughTradeId = 0
  let throughTime = 0
  const live: IntervalBar[] = []
  const closed: IntervalBar[] = []
  const trades: Uint8Array[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag >>> 3) {
      case 1:
        symbol = reader.string()
        break
      case 2:
        throughTradeId = numberOf(reader.int64())
        break
      case 3:
        throughTime = numberOf(reader.int64())
        break
      case 4:
        live.push(readIntervalBar(reader, reader.uint32() + reader.pos))
        break
      case 5:
        closed.push(readIntervalBar(reader, reader.uint32() + reader.pos))
        break
      case 6:
        trades.push(reader.bytes())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return { symbol, throughTradeId, throughTime, live, closed, trades }
}

function readIntervalBar(reader: protobuf.Reader, end: number): IntervalBar {
  let interval = ''
  let openTime = 0
  let corrected = false
  let bar: Uint8Array = new Uint8Array()
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag >>> 3) {
      case 1:
        interval = reader.string()
        break
      case 2:
        openTime = numberOf(reader.int64())
        break
      case 3:
        corrected = reader.bool()
        break
      case 4:
        bar = reader.bytes()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return { interval, openTime, corrected, bar }
}
