import {
  type BarStateText,
  type BarText,
  type FeedState,
  packTrades,
  type Scales,
  type Trade,
  VarintReader,
  VarintWriter,
} from '@chart/market'
import { barOfPendingValue, PendingBarError, pendingValueOf } from './pending-bar.ts'

/**
 * One entry of the trade log, and its bytes:
 *
 *   version, written time (ms), number of blocks, then per block: symbol length, symbol, flags, watermark (0: none),
 *   [seed: last trade id, since time, three scales, length of begun bars (0: none), begun bars as text],
 *   length of packed trades (0: none), packed trades; with FLAG_RESTATED a bar as JSON instead of trades
 */
export interface LogEntry {
  /** Number of the entry: one more than the one before. */
  readonly n: number
  readonly nonce: string
  /** Writer's clock when it was appended, in milliseconds; for measuring only. */
  readonly writtenTime: number
  readonly blocks: readonly LogBlock[]
  /** Trace context of the append, where it was sampled; opaque here. */
  readonly traceparent?: string
}

export interface LogBlock {
  readonly symbol: string
  /** The first block of a symbol: where its trades begin. */
  readonly seed: LogSeed | undefined
  /** The exchange has no trades between the one before and the first of these. */
  readonly holeBefore: boolean
  /** Trading was halted before these trades: no bars are made for that time. */
  readonly afterHalt: boolean
  /** A run of trades in the form of packTrades; undefined when the block only carries a watermark. */
  readonly packed: Uint8Array | undefined
  /** A closed bar made anew from the exchange; such a block has nothing else. */
  readonly restated: BarText | undefined
  /** After these trades nothing with an earlier trade time is to come; 0 when nothing is promised. */
  readonly watermark: number
}

export interface LogSeed {
  /** Id of the last trade before those to come. */
  readonly lastTradeId: number
  /** No trade at or after this time has an id at or below lastTradeId. */
  readonly sinceTime: number
  readonly scales: Scales
  /** The bars as they stand, when more is known of them than where their trades begin. */
  readonly begun?: BarStateText
}

/** What an append says of one symbol. */
export interface AppendBlock {
  readonly symbol: string
  /** The last trade id that the writer believes is in the log; undefined with a seed, when there is none yet. */
  readonly expectedTradeId: number | undefined
  readonly seed?: LogSeed
  readonly trades: readonly Trade[]
  readonly scales: Scales
  readonly holeBefore: boolean
  readonly afterHalt: boolean
  readonly watermark: number
  readonly feedState: FeedState
}

const VERSION = 2
const FLAG_SEED = 1
const FLAG_HOLE = 2
const FLAG_HALT = 4
const FLAG_RESTATED = 8

/** Bytes of `blocks` as an entry carries them. */
export function encodeEntry(blocks: readonly AppendBlock[], writtenTime = Date.now()): Buffer {
  const encoded = blocks.map(block => {
    const { symbol, seed, holeBefore, afterHalt, watermark, trades, scales } = block
    const flags = (seed ? FLAG_SEED : 0) | (holeBefore ? FLAG_HOLE : 0) | (afterHalt ? FLAG_HALT : 0)
    const head = blockHead(symbol, flags, watermark)
    const body = trades.length === 0 ? new Uint8Array() : packTrades(trades, scales)
    return { head: seed === undefined ? head : Buffer.concat([head, encodeSeed(seed)]), body }
  })
  return encodeBlocks(encoded, writtenTime)
}

/** Bytes of an entry that carries a closed bar made anew. */
export function encodeRestatement(bar: BarText): Buffer {
  return encodeBlocks([{ head: blockHead(bar.symbol, FLAG_RESTATED, 0), body: Buffer.from(pendingValueOf(bar)) }])
}

interface EncodedBlock {
  readonly head: Uint8Array
  /** Packed trades, or what stands in their place. */
  readonly body: Uint8Array
}

function encodeBlocks(blocks: readonly EncodedBlock[], writtenTime = Date.now()): Buffer {
  const parts: Uint8Array[] = [varints(VERSION, writtenTime, blocks.length)]
  for (const { head, body } of blocks) parts.push(head, varints(body.length), body)
  return Buffer.concat(parts)
}

function blockHead(symbol: string, flags: number, watermark: number): Buffer {
  return Buffer.concat([varints(symbol.length), Buffer.from(symbol, 'latin1'), varints(flags, watermark)])
}

function encodeSeed({ lastTradeId, sinceTime, scales, begun }: LogSeed): Buffer {
  const text = Buffer.from(begun === undefined ? '' : JSON.stringify(begun))
  const numbers = varints(lastTradeId + 1, sinceTime, scales.price, scales.quantity, scales.quote, text.length)
  return Buffer.concat([numbers, text])
}

/**
 * The inverse of encodeEntry.
 * @throws Error when the bytes have another version or end early
 */
export function decodeEntry(bytes: Uint8Array): { writtenTime: number; blocks: LogBlock[] } {
  const reader = new VarintReader(bytes)
  const version = reader.number()
  if (version !== VERSION) {
    throw new Error(`a trade log entry has version ${version}, this program reads ${VERSION}; run the matching release`)
  }
  const writtenTime = reader.number()
  const blockCount = reader.number()
  const blocks: LogBlock[] = []
  for (let index = 0; index < blockCount; index++) {
    const symbol = Buffer.from(reader.bytes(reader.number())).toString('latin1')
    const flags = reader.number()
    const watermark = reader.number()
    const seed = flags & FLAG_SEED ? decodeSeed(reader) : undefined
    const bodyBytes = reader.number()
    const body = bodyBytes === 0 ? undefined : reader.bytes(bodyBytes)
    const isRestated = (flags & FLAG_RESTATED) !== 0
    blocks.push({
      symbol,
      seed,
      holeBefore: (flags & FLAG_HOLE) !== 0,
      afterHalt: (flags & FLAG_HALT) !== 0,
      packed: isRestated ? undefined : body,
      restated: isRestated ? restatedOf(body) : undefined,
      watermark,
    })
  }
  return { writtenTime, blocks }
}

function decodeSeed(reader: VarintReader): LogSeed {
  const lastTradeId = reader.number() - 1
  const sinceTime = reader.number()
  const scales = { price: reader.number(), quantity: reader.number(), quote: reader.number() }
  const begunBytes = reader.number()
  const begun: BarStateText | undefined =
    begunBytes === 0 ? undefined : JSON.parse(Buffer.from(reader.bytes(begunBytes)).toString())
  return { lastTradeId, sinceTime, scales, ...(begun !== undefined && { begun }) }
}

/** One that cannot be read changes no bar: the log is met again at every load, and must not stop there. */
function restatedOf(body: Uint8Array | undefined): BarText | undefined {
  try {
    return body && barOfPendingValue(Buffer.from(body).toString())
  } catch (error) {
    if (error instanceof PendingBarError) return undefined
    throw error
  }
}

function varints(...values: number[]): Uint8Array {
  const writer = new VarintWriter(values.length * 8)
  for (const value of values) writer.number(value)
  return writer.bytes()
}
