import type { BarText } from '@chart/market'
import { isPostgresDown, type Postgres } from '@chart/postgres'
import {
  ackPending,
  type BarWork,
  barOfPendingValue,
  type PendingEntry,
  pendingFieldOf,
  type RedisCommands,
} from '@chart/redis'
import { type Log, NO_TRACES, type Tracer } from '@chart/service'
import { openBarWriter } from './bar-writer.ts'
import type { Metrics } from './metrics.ts'

/** Jobs taken at once: enough to fill the upsert that comes while one runs. */
const JOBS_MAX = 10
/** How long the workers wait before they ask a PostgreSQL again that takes nothing. */
const RETRY_DELAY_MS = 1_000
/** Reasons told in full; a job has up to a hundred bars and the same thing is mostly wrong with all. */
const REASONS_MAX = 3

/** Takes jobs and hands them to `handle` until the signal aborts. */
export type WorkQueue = (
  work: Pick<BarWork, 'concurrency' | 'handle' | 'isTemporary' | 'retryDelayMs' | 'log' | 'signal'>,
) => Promise<void>

export interface PersistOptions {
  readonly workQueue: WorkQueue
  readonly redis: RedisCommands
  readonly postgres: Postgres
  readonly metrics: Metrics
  readonly tracer?: Tracer
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Takes jobs from the queue until the signal aborts: writes their bars to PostgreSQL, then takes them out of the outbox.
 * A bar leaves the outbox only here and only when it is on disk, so whatever dies in between, the bar is written again.
 */
export async function persist(options: PersistOptions): Promise<void> {
  const { metrics, tracer = NO_TRACES, log, signal } = options
  const writer = openBarWriter(options.postgres, metrics)
  await options.workQueue({
    concurrency: JOBS_MAX,
    async handle({ tag, entries, traceparent }) {
      const span = tracer.follow('store', traceparent)
      try {
        const { stored, refused } = await store(entries)
        span?.end({ 'chart.partition': tag, 'chart.stored_bars': stored.length, 'chart.refused_bars': refused.length })
        await acknowledge(tag, stored)
        metrics.jobs.inc({ result: refused.length === 0 ? 'done' : 'failed' })
        metrics.bars.inc({ result: 'refused' }, refused.length)
        if (refused.length === 0) return undefined
        return { entries: refused.map(({ entry }) => entry), reason: reasonOf(refused, entries.length) }
      } catch (error) {
        span?.end({ 'chart.partition': tag }, error)
        metrics.jobs.inc({ result: isPostgresDown(error) ? 'postponed' : 'failed' })
        throw error
      }
    },
    isTemporary: isPostgresDown,
    retryDelayMs: RETRY_DELAY_MS,
    log,
    signal,
  })

  /** Writes what can ever be written, and tells the rest apart. */
  async function store(entries: readonly PendingEntry[]) {
    const { readable, refused } = readEntries(entries)
    const errors = await writer.write(readable.map(({ bar }) => bar))
    const stored: PendingEntry[] = []
    for (const [index, { entry }] of readable.entries()) {
      const error = errors[index]
      if (error === undefined) stored.push(entry)
      else refused.push({ entry, error })
    }
    return { stored, refused }
  }

  /** Failing here fails no job: its bars are stored, and a sweep brings those still in the outbox again. */
  async function acknowledge(tag: string, entries: readonly PendingEntry[]): Promise<void> {
    try {
      await ackPending(options.redis, tag, entries)
    } catch (error) {
      metrics.failedAcks.inc()
      log.warn({ err: error, tag }, 'bars are stored, and stay in the outbox until the next sweep')
    }
  }
}

interface RefusedEntry {
  readonly entry: PendingEntry
  readonly error: Error
}

function readEntries(entries: readonly PendingEntry[]) {
  const readable: { entry: PendingEntry; bar: BarText }[] = []
  const refused: RefusedEntry[] = []
  for (const entry of entries) {
    try {
      const [field, value] = entry
      const bar = barOfPendingValue(value)
      if (pendingFieldOf(bar) !== field) throw new RangeError(`its value is of ${pendingFieldOf(bar)}`)
      readable.push({ entry, bar })
    } catch (error) {
      refused.push({ entry, error: error as Error })
    }
  }
  return { readable, refused }
}

function reasonOf(refused: readonly RefusedEntry[], total: number): string {
  const reasons = refused.slice(0, REASONS_MAX).map(({ entry, error }) => `${entry[0]}: ${error.message}`)
  const more = refused.length > REASONS_MAX ? ['…'] : []
  return `${refused.length} of ${total} bars refused: ${[...reasons, ...more].join('; ')}`
}
