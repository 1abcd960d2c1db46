import { randomBytes } from 'node:crypto'
import { type FeedState, packTrades, type Scales, type Trade, VarintReader, VarintWriter } from '@chart/market'
import type { BlockingRedis, RedisCommands } from './connection.ts'
import { feedKey, headsKey, logKey, ownerKey, positionKey, stateKey } from './keys.ts'
import { type Claim, FencedError } from './ownership.ts'

/**
 * The trade log of a partition: a Redis Stream whose entry n-0 holds everything that was waiting for any symbol of the
 * partition. Both ends of the arrow ingestor → aggregator are here, so the format has one home.
 *
 * An entry has two fields: `nonce`, random for each append, by which a reader can tell that the entry at n is still the one
 * it read (after Redis lost its tail another may stand there); and `entry`, the packed blocks:
 *
 *   version, written time (ms), number of blocks, then per block: symbol length, symbol, flags, watermark (0: none),
 *   [seed: last trade id, since time, three scales], length of packed trades (0: none), packed trades
 */
export interface LogEntry {
  /** Number of the entry: one more than the one before. */
  readonly n: number
  readonly nonce: string
  /** Writer's clock when it was appended, in milliseconds; for measuring only. */
  readonly writtenTime: number
  readonly blocks: readonly LogBlock[]
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
  /** After these trades nothing with an earlier trade time is to come; 0 when nothing is promised. */
  readonly watermark: number
}

export interface LogSeed {
  /** Id of the last trade before those to come. */
  readonly lastTradeId: number
  /** No trade at or after this time has an id at or below lastTradeId. */
  readonly sinceTime: number
  readonly scales: Scales
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

export type AppendAnswer =
  | { readonly kind: 'appended'; readonly n: number }
  /** Nothing was written; these are the heads of the symbols that stand elsewhere (undefined: not in the log). */
  | { readonly kind: 'mismatch'; readonly heads: ReadonlyMap<string, number | undefined> }

const VERSION = 1
const FLAG_SEED = 1
const FLAG_HOLE = 2
const FLAG_HALT = 4

/** The log refuses: the stream and the heads contradict each other, as after a key was deleted by hand. */
export class LogCorruptError extends Error {
  override name = 'LogCorruptError'
}

/**
 * Appends one entry if every symbol in it stands where the writer believes, else tells where they stand. After a lost reply
 * it may be called again: the answer is a mismatch whose heads show what was done.
 * @throws FencedError when another has claimed the partition
 */
export async function appendEntry(
  redis: RedisCommands,
  claim: Claim,
  blocks: readonly AppendBlock[],
): Promise<AppendAnswer> {
  const { tag } = claim
  const keys = [ownerKey(tag, 'ingest'), headsKey(tag), logKey(tag), positionKey(tag)]
  const values: (string | Buffer)[] = [claim.token, randomBytes(8).toString('hex'), encodeEntry(blocks)]
  for (const block of blocks) {
    keys.push(feedKey(tag, block.symbol), stateKey(tag, block.symbol))
    const first = block.trades[0]
    const last = block.trades[block.trades.length - 1]
    values.push(
      block.symbol,
      textOf(block.expectedTradeId),
      textOf(first?.tradeId),
      textOf(last?.tradeId ?? block.seed?.lastTradeId ?? block.expectedTradeId),
      block.holeBefore ? '1' : '0',
      textOf(last?.tradeTime),
      block.watermark === 0 ? '' : textOf(block.watermark),
      block.feedState,
    )
  }
  const answer = await redis.appendEntry(keys.length, ...keys, ...values)
  switch (answer[0]) {
    case 'OK':
      return { kind: 'appended', n: Number(answer[1]) }
    case 'FENCED':
      throw new FencedError(tag, 'ingest')
    case 'CORRUPT':
      throw new LogCorruptError(`the log of partition ${tag} refuses entries: ${answer[1]}`)
    default: {
      const heads = new Map<string, number | undefined>()
      for (let index = 1; index < answer.length; index += 2) heads.set(answer[index]!, idOf(answer[index + 1]))
      return { kind: 'mismatch', heads }
    }
  }
}

/** Last trade id in the log of each symbol; undefined where the log has none. */
export async function readHeads(
  redis: RedisCommands,
  tag: string,
  symbols: readonly string[],
): Promise<Map<string, number | undefined>> {
  if (symbols.length === 0) return new Map()
  const heads = await redis.hmget(headsKey(tag), ...symbols)
  return new Map(symbols.map((symbol, index) => [symbol, idOf(heads[index])]))
}

/**
 * Writes feed states when there is nothing to append.
 * @throws FencedError when another has claimed the partition
 */
export async function writeFeedStates(
  redis: RedisCommands,
  claim: Claim,
  states: ReadonlyMap<string, FeedState>,
): Promise<void> {
  const keys = [ownerKey(claim.tag, 'ingest'), ...[...states.keys()].map(symbol => feedKey(claim.tag, symbol))]
  const [answer] = await redis.writeFeedStates(keys.length, ...keys, claim.token, ...states.values())
  if (answer === 'FENCED') throw new FencedError(claim.tag, 'ingest')
}

/**
 * The entries after number `after`, at most `countMax`; waits up to `blockMs` for the first. Numbers may jump where entries
 * were lost or trimmed: the reader checks.
 * @param redis a connection that nothing else uses while it waits
 */
export async function readEntries(
  redis: BlockingRedis,
  tag: string,
  after: number,
  countMax: number,
  blockMs: number,
): Promise<LogEntry[]> {
  const reply = await redis.xreadBuffer('COUNT', countMax, 'BLOCK', blockMs, 'STREAMS', logKey(tag), `${after}-0`)
  return (reply?.[0]?.[1] ?? []).map(([id, fields]) => {
    const n = Number(id.toString('latin1').split('-')[0])
    return { n, nonce: fields[1]!.toString('latin1'), ...decodeEntry(fields[3]!) }
  })
}

/** Bytes of `blocks` as an entry carries them. Exported for the round-trip test. */
export function encodeEntry(blocks: readonly AppendBlock[], writtenTime = Date.now()): Buffer {
  const parts: Uint8Array[] = [varints(VERSION, writtenTime, blocks.length)]
  for (const block of blocks) {
    const { seed } = block
    const flags = (seed ? FLAG_SEED : 0) | (block.holeBefore ? FLAG_HOLE : 0) | (block.afterHalt ? FLAG_HALT : 0)
    parts.push(varints(block.symbol.length), Buffer.from(block.symbol, 'latin1'), varints(flags, block.watermark))
    if (seed !== undefined) {
      const { price, quantity, quote } = seed.scales
      parts.push(varints(seed.lastTradeId + 1, seed.sinceTime, price, quantity, quote))
    }
    const packed = block.trades.length === 0 ? new Uint8Array() : packTrades(block.trades, block.scales)
    parts.push(varints(packed.length), packed)
  }
  return Buffer.concat(parts)
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
    const packedBytes = reader.number()
    blocks.push({
      symbol,
      seed,
      holeBefore: (flags & FLAG_HOLE) !== 0,
      afterHalt: (flags & FLAG_HALT) !== 0,
      packed: packedBytes === 0 ? undefined : reader.bytes(packedBytes),
      watermark,
    })
  }
  return { writtenTime, blocks }
}

function decodeSeed(reader: VarintReader): LogSeed {
  const lastTradeId = reader.number() - 1
  const sinceTime = reader.number()
  const scales = { price: reader.number(), quantity: reader.number(), quote: reader.number() }
  return { lastTradeId, sinceTime, scales }
}

function varints(...values: number[]): Uint8Array {
  const writer = new VarintWriter(values.length * 8)
  for (const value of values) writer.number(value)
  return writer.bytes()
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}

function idOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined || text === '' ? undefined : Number(text)
}
