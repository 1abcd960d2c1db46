import type { Interval } from '@chart/market'
import type { BarQueue, RedisCommands } from '@chart/redis'
import { delay, type Log, NO_TRACES, type Tracer } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { type OpenReader, workPartition } from './partition-worker.ts'
import { Share } from './share.ts'
import { readShare } from './share-metrics.ts'
import { WAITING_JOBS_MAX } from './sweep.ts'

/** Heartbeats and renewals; a quarter of the lease, so that three may fail. */
const TURN_MS = 375
/** How often the owners of other partitions are looked at; a hand-over waits half of it on average. */
const LOOK_MS = 100
/** Coming this much too late to a look, we wait longer before we steal: what seems to stand still may be ourselves. */
const LAG_MAX_MS = 50
/** How often the outbox is looked through for bars that no job carries. */
const SWEEP_MS = 15_000

export interface AggregateOptions {
  readonly openReader: OpenReader
  readonly redis: RedisCommands
  readonly queue: BarQueue
  readonly intervals: readonly Interval[]
  readonly persistedIntervals: ReadonlySet<string>
  readonly member: string
  readonly metrics: Metrics
  readonly tracer?: Tracer
  readonly log: Log
  readonly signal: AbortSignal
  /** For tests, which do not wait so long. */
  readonly sweepMs?: number
}

/** Turns trades into bars for the share of the partitions that is ours. */
export async function aggregate(options: AggregateOptions): Promise<void> {
  /** Whether closed bars are queued at once or left to a later sweep. */
  let queueOpen = true
  const share = new Share(options, (claim, signal) =>
    workPartition({ tracer: NO_TRACES, ...options, claim, signal, canQueue: () => queueOpen }),
  )
  options.metrics.share.follow(() => readShare(options.redis, share.tags()))
  const setQueueOpen = (open: boolean) => {
    queueOpen = open
  }
  // Apart from each other: a slow queue must not cost leases, and a slow Redis no look.
  await Promise.all([keepShare(share, options), lookAround(share, options), keepSweeping(share, options, setQueueOpen)])
}

async function keepShare(share: Share, { metrics, log, signal }: AggregateOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await share.keep()
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'Redis does not answer; trying again')
    }
    metrics.owned.set(share.size)
    await delay(TURN_MS, signal)
  }
  await share.leave()
}

async function lookAround(share: Share, { signal }: AggregateOptions): Promise<void> {
  while (!signal.aborted) {
    const since = performance.now()
    await delay(LOOK_MS, signal)
    const lagMs = performance.now() - since - LOOK_MS
    // Whoever keeps the share tells that Redis does not answer.
    if (!signal.aborted) await share.look(lagMs > LAG_MAX_MS).catch(() => undefined)
  }
}

async function keepSweeping(
  share: Share,
  options: AggregateOptions,
  setQueueOpen: (open: boolean) => void,
): Promise<void> {
  const { queue, log, signal, sweepMs = SWEEP_MS } = options
  while (!signal.aborted) {
    await delay(sweepMs, signal)
    if (signal.aborted) return
    let open = false
    try {
      open = (await queue.waitingCount()) <= WAITING_JOBS_MAX
    } catch (error) {
      log.warn({ reason: (error as Error).message }, 'no bars are queued; they wait in the outbox')
    }
    setQueueOpen(open)
    await sweepOwned(share, options, open).catch(error =>
      log.warn({ reason: error.message }, 'sweep of the outbox broken off until the next'),
    )
  }
}

async function sweepOwned(
  share: Share,
  { redis, queue, metrics, log }: AggregateOptions,
  open: boolean,
): Promise<void> {
  let pending = 0
  for (const { tag, sweep } of share.owned()) {
    const swept = await sweep.sweep(redis, queue, tag, open)
    pending += swept.pending
    metrics.swept.inc(swept.queued)
    if (swept.queued > 0) log.info({ tag, bars: swept.queued }, 'queued again what PostgreSQL has not confirmed')
  }
  metrics.pending.set(pending)
}
