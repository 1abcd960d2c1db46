import {
  type BarText,
  closedRowsTextOf,
  closedTextOfRows,
  type Interval,
  liveTextOf,
  type SymbolBars,
  symbolBarsOfText,
} from '@chart/market'
import { changedFields, hashValuesOf, type WrittenBars } from './bar-hash.ts'
import { pendingFieldOf, pendingValueOf } from './bar-queue.ts'
import type { RedisCommands } from './connection.ts'
import { barKey, headsKey, logKey, ownerKey, pendingKey, positionKey, stateKey, updatesChannel } from './keys.ts'
import { type Claim, FencedError } from './ownership.ts'

/**
 * Where a partition stands. Position and bars are written by one script and read back together, so they always belong to
 * each other; `rev` counts commits, which tells two of them at one position apart.
 */
export interface PartitionPosition {
  /** Number of the last log entry that is in the bars. */
  readonly pos: number
  readonly rev: number
}

/** What a batch of entries made of a partition. */
export interface BarBatch {
  readonly at: PartitionPosition
  /** Number and nonce of the last entry folded. */
  readonly newPos: number
  readonly nonce: string
  readonly symbols: readonly SymbolBatch[]
  /** Bytes to publish to the edges. */
  readonly update: Uint8Array
}

/** What a batch changed of one symbol. */
export interface SymbolBatch {
  readonly bars: SymbolBars
  /** Intervals of which bars closed or were restated, so that the kept closed bars are written again. */
  readonly closedIntervals: ReadonlySet<string>
  /** Live bars that changed. */
  readonly live: readonly BarText[]
  /** Closed bars that PostgreSQL is to store. */
  readonly stored: readonly BarText[]
}

/** The partition moved on under us, or Redis lost the entries that we folded: load again and go on from there. */
export class CommitConflictError extends Error {
  override name = 'CommitConflictError'
}

/**
 * Entries kept behind the position: a reader that is slow to notice its fencing must not take a trimmed entry for a hole,
 * and an operator can look at the last seconds.
 */
export const KEPT_ENTRIES = 1_000

/** Before the interval, in the name of a field of the state: its kept closed bars. A second closes every second, a day seldom. */
const CLOSED = 'closed:'

/**
 * Commits a batch: state, live bars, outbox, position and update, all or nothing. May be called again after a lost reply.
 * @param written what the owner's commits have written since it loaded the partition; changed here
 * @returns where the partition stands now
 * @throws CommitConflictError, FencedError
 */
export async function commitBars(
  redis: RedisCommands,
  claim: Claim,
  batch: BarBatch,
  written: WrittenBars = new Map(),
): Promise<PartitionPosition> {
  const { tag, token } = claim
  const keys = [ownerKey(tag, 'aggregate'), positionKey(tag), logKey(tag), pendingKey(tag), updatesChannel(tag)]
  const live = batch.symbols.flatMap(({ bars, live: own }) =>
    own.map(bar => ({ key: barKey(tag, bar.symbol, bar.interval), values: hashValuesOf(bar, bars, batch.newPos) })),
  )
  const stored = batch.symbols.flatMap(symbol => symbol.stored)
  for (const { bars } of batch.symbols) keys.push(stateKey(tag, bars.symbol))
  for (const { key } of live) keys.push(key)
  const trimBefore = batch.newPos - KEPT_ENTRIES
  const values: (string | number | Buffer)[] = [
    token,
    batch.at.pos,
    batch.at.rev,
    batch.newPos,
    batch.nonce,
    trimBefore > 0 ? trimBefore : '',
    Buffer.from(batch.update.buffer, batch.update.byteOffset, batch.update.byteLength),
    batch.symbols.length,
    JSON.stringify(live.map(({ key, values: now }) => changedFields(now, written.get(key)))),
  ]
  for (const symbol of batch.symbols) {
    const fields = stateFieldsOf(symbol, !written.has(stateKey(tag, symbol.bars.symbol)))
    values.push(fields.length, ...fields)
  }
  for (const bar of stored) values.push(pendingFieldOf(bar), pendingValueOf(bar))
  const [answer, first, second] = await redis.commitBars(keys.length, ...keys, ...values)
  if (answer === 'OK') {
    if (second === 'TORN') written.clear()
    else {
      for (const { key, values: now } of live) written.set(key, now)
      for (const { bars } of batch.symbols) written.set(stateKey(tag, bars.symbol), [])
    }
    return { pos: batch.newPos, rev: Number(first) }
  }
  if (answer === 'FENCED') throw new FencedError(tag, 'aggregate')
  throw new CommitConflictError(
    `partition ${tag} stands at ${first}/${second}, the commit came from ${batch.at.pos}/${batch.at.rev} to entry ${batch.newPos}`,
  )
}

/** Names and values in turn. @param whole the closed bars of every interval, not of those where something closed alone */
function stateFieldsOf({ bars, closedIntervals }: SymbolBatch, whole: boolean): (string | number)[] {
  const closed = bars.series.filter(({ interval }) => whole || closedIntervals.has(interval.name))
  const rows = closed.flatMap(series => [`${CLOSED}${series.interval.name}`, closedRowsTextOf(series)])
  return ['lastTradeId', bars.lastTradeId, 'live', liveTextOf(bars), ...rows]
}

/** Where the partition stands, and the bars of `symbols` that have any. To be read by the owner, after its claim. */
export async function loadPartition(
  redis: RedisCommands,
  tag: string,
  symbols: readonly string[],
  intervals: readonly Interval[],
): Promise<{ at: PartitionPosition; bars: Map<string, SymbolBars> }> {
  const [pos, rev] = await redis.hmget(positionKey(tag), 'pos', 'rev')
  const bars = new Map<string, SymbolBars>()
  for (const symbol of symbols) {
    const { live, ...fields } = await redis.hgetall(stateKey(tag, symbol))
    if (!live) continue
    const closed = Object.entries(fields).filter(([name]) => name.startsWith(CLOSED))
    const rows = closed.map(([name, text]) => [name.slice(CLOSED.length), text] as const)
    bars.set(symbol, symbolBarsOfText(symbol, intervals, { live, closed: closedTextOfRows(rows) }))
  }
  return { at: { pos: Number(pos ?? 0), rev: Number(rev ?? 0) }, bars }
}

/**
 * Entries are missing from the log that are not in the bars: empties the log, so that the ingestor appends again from where
 * the bars stand.
 * @throws FencedError
 */
export async function rewindLog(redis: RedisCommands, claim: Claim, symbols: readonly string[]): Promise<void> {
  const { tag } = claim
  const keys = [ownerKey(tag, 'aggregate'), headsKey(tag), logKey(tag), positionKey(tag)]
  for (const symbol of symbols) keys.push(stateKey(tag, symbol))
  const [answer] = await redis.rewindLog(keys.length, ...keys, claim.token, ...symbols)
  if (answer === 'FENCED') throw new FencedError(tag, 'aggregate')
}
