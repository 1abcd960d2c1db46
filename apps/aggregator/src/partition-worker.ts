import type { Interval, SymbolBars } from '@chart/market'
import {
  type BarBatch,
  type BarQueue,
  type BlockingRedis,
  type Claim,
  CommitConflictError,
  closeRedis,
  commitBars,
  FencedError,
  type LogEntry,
  loadPartition,
  type PartitionPosition,
  pendingFieldOf,
  pendingValueOf,
  type RedisCommands,
  readEntries,
  readSymbols,
  rewindLog,
  type WrittenBars,
} from '@chart/redis'
import { delay, type Log, type Tracer } from '@chart/service'
import { foldEntries, LostStateError } from './fold.ts'
import type { Metrics } from './metrics.ts'

/** Entries of one read at most. */
const READ_ENTRIES_MAX = 200
/**
 * Packed trades folded into one commit at most, some 10,000 trades: after a backlog 200 full entries would be 400,000, which hold
 * up the heartbeats for a second.
 */
export const BATCH_BYTES_MAX = 100_000
/** How long one read waits for the next entry; also how often an idle owner checks that Redis still agrees with it. */
export const READ_BLOCK_MS = 1_000
/** After an error of Redis; a restarted one is back after some 250 ms. */
const RETRY_MS = 100
/** A commit without an answer is sent again this often before the partition is loaded anew. */
const COMMIT_ATTEMPTS = 2

/** Opens a connection that the reads of partition `tag` wait on, READ_BLOCK_MS at most each; the signal closes it. */
export type OpenReader = (tag: string, signal: AbortSignal) => Promise<BlockingRedis>

export interface PartitionOptions {
  readonly claim: Claim
  readonly redis: RedisCommands
  readonly openReader: OpenReader
  readonly queue: BarQueue
  readonly intervals: readonly Interval[]
  readonly persistedIntervals: ReadonlySet<string>
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly log: Log
  readonly signal: AbortSignal
  /** False while bars are left to the sweep. */
  canQueue(): boolean
}

/**
 * Folds one partition while it is ours: reads what is in its log, folds it, commits, and reads on. The bars in memory are
 * only a copy of what the last commit wrote; at any doubt they are thrown away and loaded again.
 * @throws FencedError when another has claimed the partition
 */
export async function workPartition(options: PartitionOptions): Promise<void> {
  const { claim, signal, log } = options
  let reader: BlockingRedis | undefined
  /** The same trouble is logged once. */
  let trouble: string | undefined
  try {
    while (!signal.aborted) {
      try {
        // A read that waits ends at once when we stop, so that the partition can be handed over.
        reader ??= await options.openReader(claim.tag, signal)
        await foldUntilDoubt(options, reader)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof FencedError) throw error
        const reason = (error as Error).message
        if (reason !== trouble) log.warn({ tag: claim.tag, reason }, 'loading the partition again until it goes on')
        trouble = reason
        await delay(RETRY_MS, signal)
      }
    }
  } finally {
    if (reader !== undefined) closeRedis(reader)
  }
}

async function foldUntilDoubt(options: PartitionOptions, reader: BlockingRedis): Promise<void> {
  const { claim, redis, intervals, signal, metrics, log } = options
  const { tag } = claim
  const symbols = await symbolsOf(redis, tag)
  const loaded = await loadPartition(redis, tag, symbols, intervals)
  let at = loaded.at
  const written: WrittenBars = new Map()
  while (!signal.aborted) {
    const entries = await readEntries(reader, tag, at.pos, READ_ENTRIES_MAX, READ_BLOCK_MS)
    if (entries.length === 0) await checkPosition(redis, tag, at)
    try {
      for (const batch of batchesOf(entries)) {
        if (signal.aborted) return
        checkFollowsOn(at, batch)
        at = await foldAndCommit(options, { bars: loaded.bars, written }, at, batch)
        // Everything else that is due gets its turn, also under a backlog that makes every read answer at once.
        await nextTurn()
      }
    } catch (error) {
      if (!(error instanceof LostStateError)) throw error
      log.warn(
        { tag, reason: error.message },
        'emptying the log, so that it is appended again from where the bars stand',
      )
      metrics.rewinds.inc()
      await rewindLog(redis, claim, await symbolsOf(redis, tag))
      return
    }
  }
}

/** `entries` in commits: as many as BATCH_BYTES_MAX allows, at least one. */
export function batchesOf(entries: readonly LogEntry[]): LogEntry[][] {
  const batches: LogEntry[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    const entryBytes = entry.blocks.reduce((sum, block) => sum + (block.packed?.length ?? 0), 0)
    if (bytes + entryBytes > BATCH_BYTES_MAX) {
      batches.push([])
      bytes = 0
    }
    batches[batches.length - 1]!.push(entry)
    bytes += entryBytes
  }
  return batches
}

function checkFollowsOn(at: PartitionPosition, entries: readonly LogEntry[]): void {
  for (const [index, entry] of entries.entries()) {
    const expected = at.pos + 1 + index
    if (entry.n !== expected) throw new LostStateError(`entry ${expected} is missing, the next is ${entry.n}`)
  }
}

/** Redis may have fallen back to an earlier state of itself, whose new entries have numbers that we believe to have read. */
async function checkPosition(redis: RedisCommands, tag: string, at: PartitionPosition): Promise<void> {
  const { at: stored } = await loadPartition(redis, tag, [], [])
  if (stored.pos !== at.pos || stored.rev !== at.rev) {
    throw new CommitConflictError(`the partition stands at ${stored.pos}/${stored.rev} instead of ${at.pos}/${at.rev}`)
  }
}

const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

async function symbolsOf(redis: RedisCommands, tag: string): Promise<string[]> {
  return [...(await readSymbols(redis))].flatMap(([symbol, of]) => (of === tag ? [symbol] : []))
}

async function foldAndCommit(
  options: PartitionOptions,
  { bars, written }: { bars: Map<string, SymbolBars>; written: WrittenBars },
  at: PartitionPosition,
  entries: readonly LogEntry[],
): Promise<PartitionPosition> {
  const { metrics, claim } = options
  // Of several sampled entries in one commit the first is followed.
  const span = options.tracer.follow('commit', entries.find(entry => entry.traceparent !== undefined)?.traceparent)
  const { batch, counts } = foldEntries(bars, at, entries, options, span?.traceparent)
  const stop = metrics.commitSeconds.startTimer()
  const next = await commitTwice(options, batch, written).catch(error => {
    span?.end({ 'chart.partition': claim.tag }, error)
    throw error
  })
  stop()
  span?.end({ 'chart.partition': claim.tag, 'chart.trades': counts.trades, 'chart.closed_bars': counts.closed })
  metrics.commits.inc({ result: 'ok' })
  metrics.logSeconds.observe(Math.max(0, Date.now() - entries[0]!.writtenTime) / 1_000)
  metrics.trades.inc(counts.trades)
  metrics.duplicates.inc(counts.duplicates)
  metrics.missing.inc(counts.missing)
  metrics.late.inc(counts.late)
  metrics.beyondReach.inc(counts.beyondReach)
  metrics.closed.inc(counts.closed)
  metrics.corrected.inc(counts.corrected)
  const stored = batch.symbols.flatMap(symbol => symbol.stored)
  if (stored.length > 0 && options.canQueue()) {
    // Only a hint: what is not queued now stays pending and is swept.
    options.queue
      .enqueue(
        claim.tag,
        `${next.pos}-${next.rev}`,
        stored.map(bar => [pendingFieldOf(bar), pendingValueOf(bar)]),
        span?.traceparent,
      )
      .catch(error =>
        options.log.warn({ tag: claim.tag, reason: error.message }, 'closed bars wait for the next sweep'),
      )
  }
  return next
}

/** A commit whose answer is lost may or may not have happened; the script answers a repetition with OK. */
async function commitTwice(
  { redis, claim, metrics }: PartitionOptions,
  batch: BarBatch,
  written: WrittenBars,
): Promise<PartitionPosition> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitBars(redis, claim, batch, written)
    } catch (error) {
      if (error instanceof FencedError) metrics.commits.inc({ result: 'fenced' })
      else if (error instanceof CommitConflictError) metrics.commits.inc({ result: 'conflict' })
      else {
        metrics.commits.inc({ result: 'error' })
        if (attempt < COMMIT_ATTEMPTS) continue
      }
      throw error
    }
  }
}
