import { openMetrics } from '@chart/aggregator/metrics'
import { READ_BLOCK_MS, workPartition } from '@chart/aggregator/partition-worker'
import { DEFAULT_INTERVALS, intervalsOf } from '@chart/market'
import { type BarQueue, type BlockingRedis, logKey, openBlockingRedis, type RedisConnection } from '@chart/redis'
import { NO_TRACES, openLog, Registry } from '@chart/service'
import { claimed } from '../append/seeded-partition.ts'
import { TAG } from './filled-log.ts'

export const INTERVALS = intervalsOf(DEFAULT_INTERVALS)
/** As the aggregator's own default: all but the shortest. */
export const PERSISTED_INTERVALS: ReadonlySet<string> = new Set(DEFAULT_INTERVALS.slice(1))

export interface AggregatorLoopOptions {
  readonly url: string
  readonly redis: RedisConnection
  readonly queue: BarQueue
  /** Number of the last entry of the log. */
  readonly lastEntry: number
  /** Entries of one read at most, where fewer are wanted than the aggregator takes by itself: as many as there are while it keeps up. */
  readonly entriesMax?: number
  /** Of which closed bars are kept for PostgreSQL; the aggregator's default without it. */
  readonly persistedIntervals?: ReadonlySet<string>
  /** Told at the end of the log, while the bars are still held. */
  onEnd?(): void
}

/** Ours: the aggregator's own loop over a partition, from where it stands to the end of its log. */
export async function aggregatorLoop(options: AggregatorLoopOptions): Promise<void> {
  const { url, redis, queue, lastEntry, entriesMax, persistedIntervals = PERSISTED_INTERVALS } = options
  const done = new AbortController()
  const onEnd = () => {
    options.onEnd?.()
    done.abort()
  }
  await workPartition({
    claim: await claimed(redis, TAG, 'aggregate'),
    redis,
    openReader: async (tag, signal) => {
      const reader = await openBlockingRedis(url, tag, READ_BLOCK_MS, signal)
      return endingReader(reader, `${lastEntry}-0`, onEnd, entriesMax)
    },
    queue,
    intervals: INTERVALS,
    persistedIntervals,
    metrics: openMetrics(new Registry()),
    tracer: NO_TRACES,
    log: openLog('bench', 'warn'),
    signal: done.signal,
    canQueue: () => true,
  })
}

/** A reader that tells when what comes after `last` is asked for: everything before is committed then. */
function endingReader(reader: BlockingRedis, last: string, onEnd: () => void, entriesMax = Infinity): BlockingRedis {
  return {
    async xreadBuffer(count, countMax, block, blockMs, streams, key, after) {
      if (after !== last) {
        return reader.xreadBuffer(count, Math.min(countMax, entriesMax), block, blockMs, streams, key, after)
      }
      onEnd()
      return null
    },
    disconnect: () => reader.disconnect(),
  }
}

/** Reads the log in the same reads and drops what it has read. */
export async function dropEntries(url: string, lastEntry: number, entriesMax: number): Promise<void> {
  const reader = await openBlockingRedis(url, TAG, READ_BLOCK_MS)
  try {
    for (let after = 0; after < lastEntry; ) {
      const reply = await reader.xreadBuffer(
        'COUNT',
        entriesMax,
        'BLOCK',
        READ_BLOCK_MS,
        'STREAMS',
        logKey(TAG),
        `${after}-0`,
      )
      after = Number.parseInt(reply!.at(-1)![1].at(-1)![0].toString('latin1'), 10)
    }
  } finally {
    reader.disconnect()
  }
}
