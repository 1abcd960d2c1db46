import { randomBytes } from 'node:crypto'
import type { BarText, FeedState } from '@chart/market'
import type { BlockingRedis, RedisCommands } from './connection.ts'
import { feedKey, headsKey, logKey, ownerKey, positionKey, stateKey } from './keys.ts'
import { type AppendBlock, decodeEntry, encodeEntry, encodeRestatement, type LogEntry } from './log-entry.ts'
import { type Claim, FencedError } from './ownership.ts'

/**
 * The trade log of a partition: a Redis Stream whose entry n-0 holds everything that was waiting for any symbol of the
 * partition. Both ends of the arrow ingestor → aggregator are here; what an entry looks like is in log-entry.ts. An entry has two
 * fields: `nonce`, another for each append, by which a reader can tell that the entry at n is still the one it read (after Redis lost its
 * tail another may stand there); and `entry`, the packed blocks. One that is traced has a third, `traceparent`, behind them: readers of
 * all releases find the first two by their places.
 */

export type AppendAnswer =
  | { readonly kind: 'appended'; readonly n: number }
  /** Nothing was written; these are the heads of the symbols that stand elsewhere (undefined: not in the log). */
  | { readonly kind: 'mismatch'; readonly heads: ReadonlyMap<string, number | undefined> }

/** The log refuses: the stream and the heads contradict each other, as after a key was deleted by hand. */
export class LogCorruptError extends Error {
  override name = 'LogCorruptError'
}

/**
 * Appends one entry if every symbol in it stands where the writer believes, else tells where they stand. After a lost reply
 * it may be called again: the answer is a mismatch whose heads show what was done.
 * @param traceparent trace context that goes along with the entry
 * @throws FencedError when another has claimed the partition
 */
export async function appendEntry(
  redis: RedisCommands,
  claim: Claim,
  blocks: readonly AppendBlock[],
  traceparent?: string,
): Promise<AppendAnswer> {
  const { tag } = claim
  const keys = [ownerKey(tag, 'ingest'), headsKey(tag), logKey(tag), positionKey(tag)]
  const texts: string[][] = []
  for (const block of blocks) {
    keys.push(feedKey(tag, block.symbol), stateKey(tag, block.symbol))
    const first = block.trades[0]
    const last = block.trades[block.trades.length - 1]
    texts.push([
      block.symbol,
      textOf(block.expectedTradeId),
      textOf(first?.tradeId),
      textOf(last?.tradeId ?? block.seed?.lastTradeId ?? block.expectedTradeId),
      block.holeBefore ? '1' : '0',
      textOf(last?.tradeTime),
      block.watermark === 0 ? '' : textOf(block.watermark),
      block.feedState,
    ])
  }
  // The blocks as one argument: each argument costs the client and Redis more than its text does.
  const values = [claim.token, newNonce(), encodeEntry(blocks), JSON.stringify(texts)]
  if (traceparent !== undefined) values.push(traceparent)
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

/** The symbol's log has not begun, or Redis was emptied: there is nothing to restate yet. Try again when the feed is live. */
export class LogUnseededError extends Error {
  override name = 'LogUnseededError'
}

/**
 * Hands the partition's owner a closed bar that was made anew from the exchange, to be published as a correction. After a lost reply it
 * may be called again.
 * @param bar with the revision that was found wrong, 0 when there was none
 * @throws LogUnseededError, LogCorruptError; an error of Redis
 */
export async function appendRestatement(redis: RedisCommands, tag: string, bar: BarText): Promise<void> {
  const payload = encodeRestatement(bar)
  const answer = await redis.restateBar(2, headsKey(tag), logKey(tag), newNonce(), payload)
  if (answer[0] === 'OK') return
  if (answer[0] === 'UNSEEDED') throw new LogUnseededError(`the log of partition ${tag} has not begun`)
  throw new LogCorruptError(`the log of partition ${tag} refuses entries: ${answer[1]}`)
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
    const traceparent = fields[5]?.toString('latin1')
    const entry = { n, nonce: fields[1]!.toString('latin1'), ...decodeEntry(fields[3]!) }
    return traceparent === undefined ? entry : { ...entry, traceparent }
  })
}

/** No two appends of any process have the same: random for the process, and counted. A random number for each would cost 2 µs. */
function newNonce(): string {
  appends++
  return `${PROCESS_NONCE}${appends.toString(36)}`
}
const PROCESS_NONCE = randomBytes(8).toString('hex')
let appends = 0

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}

function idOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined || text === '' ? undefined : Number(text)
}
