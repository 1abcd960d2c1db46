import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, RateLimitError, UnrecoverableError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { createClient } from './client.ts'
import type { PendingEntry } from './pending-bars.ts'
import {
  atMostEvery,
  type BarQueueOptions,
  connectQueue,
  LOG_EVERY_MS,
  PREFIX,
  QUEUE,
  type QueueLog,
} from './queue-connection.ts'

export { barOfPendingValue, PendingBarError, pendingFieldOf, pendingValueOf } from './pending-bar.ts'
export type { BarQueueOptions } from './queue-connection.ts'

/**
 * The arrow from aggregator to persister, both ends: a BullMQ queue whose jobs say "these entries of that partition's
 * outbox belong into PostgreSQL". The outbox is what keeps bars; a job that is lost, repeated or late costs nothing but
 * time, as a sweep enqueues again what stays in the outbox.
 */
export interface BarJob {
  /** Tag of the partition, `{p07}`. */
  readonly tag: string
  readonly entries: readonly PendingEntry[]
  /** Trace context of the commit, where it was sampled; opaque here. */
  readonly traceparent?: string
}

/** Bars of one job: 296 bytes of Redis a bar, 17 times cheaper to enqueue than one each, and some 30 kB to a job. */
const JOB_ENTRIES_MAX = 100
/** Jobs of one MULTI, 0.6 MB: a sweep after an outage must not hold up Redis. */
const CALL_JOBS_MAX = 20

/** A lock not renewed for this long means a dead worker; it is renewed every half of that. */
const LOCK_MS = 30_000
/** How often workers look for locks that ran out; a dead worker's job goes on after at most LOCK_MS and this. */
const STALLED_CHECK_MS = 15_000
/**
 * How many workers may die over one job. The default of 1 puts a job that saw two deployments into the failed set; a job
 * is data only and kills nobody, so the bound is one that is never reached.
 */
const STALLED_MAX = 1_000
/** How long a worker waits after losing Redis before it asks again; BullMQ's default is 15 s. */
const RETRY_REDIS_MS = 1_000
/**
 * Pause after an answer of Redis that is an error, above all "OOM command not allowed": without it the worker asks again
 * at once, 2,000 to 3,000 times a second.
 */
const ERROR_PAUSE_MS = 1_000
/** Longest that BullMQ blocks in BZPOPMIN is 10 s; a worker's socket silent for longer while it waits is half-open. */
const WORKER_SOCKET_TIMEOUT_MS = 12_000
/** Time for running jobs to end when the worker closes; above what an upsert is given, below the process's own deadline. */
const CLOSE_TIMEOUT_MS = 12_000
/** The same when none runs: closing is then a few commands, which an absent Redis never answers. */
const CLOSE_IDLE_TIMEOUT_MS = 2_000
/** BullMQ heeds a rate limit set by hand only where a limiter is configured: one that is never reached by itself. */
const LIMITER = { max: 1_000_000, duration: 1_000 }

/** The producer's end. Every call fails within seconds when Redis does not answer. */
export interface BarQueue extends AsyncDisposable {
  /**
   * Enqueues `entries`, up to 100 to a job, and gives the number of jobs. A job whose key is known already, waiting, running
   * or kept as failed, is silently left as it is: so `jobKey` names the commit, or the sweep and its generation.
   */
  enqueue(tag: string, jobKey: string, entries: readonly PendingEntry[], traceparent?: string): Promise<number>
  /** Jobs that no worker has taken: a producer stops above a cap, since a worker cannot drain a Redis that is full. */
  waitingCount(): Promise<number>
  failedCount(): Promise<number>
  close(): Promise<void>
}

export function openBarQueue(options: BarQueueOptions): BarQueue {
  const { queue, call, close } = connectQueue<BarJob>(options)
  return {
    async enqueue(tag, jobKey, entries, traceparent) {
      const jobs = jobsOf(tag, jobKey, entries, traceparent)
      for (let start = 0; start < jobs.length; start += CALL_JOBS_MAX) {
        await call(() => queue.addBulk(jobs.slice(start, start + CALL_JOBS_MAX)))
      }
      return jobs.length
    },
    waitingCount: () => call(() => queue.getJobCountByTypes('waiting', 'delayed', 'prioritized')),
    failedCount: () => call(() => queue.getJobCountByTypes('failed')),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** BullMQ refuses ids that are all digits or contain a colon: a partition's letter is always in front. */
function jobsOf(tag: string, jobKey: string, entries: readonly PendingEntry[], traceparent: string | undefined) {
  const partition = /^\{(p\d+)\}$/.exec(tag)?.[1]
  if (partition === undefined) throw new RangeError(`a partition's tag is like {p07}, not "${tag}"`)
  if (!/^[\w.-]{1,100}$/.test(jobKey))
    throw new RangeError(`a job key has letters, digits, - . and _ only, not "${jobKey}"`)
  const jobs: { name: string; data: BarJob; opts: { jobId: string } }[] = []
  for (let start = 0; start < entries.length; start += JOB_ENTRIES_MAX) {
    jobs.push({
      name: 'persist',
      data: {
        tag,
        entries: entries.slice(start, start + JOB_ENTRIES_MAX),
        ...(traceparent !== undefined && { traceparent }),
      },
      opts: { jobId: `${partition}-${jobKey}-${jobs.length}` },
    })
  }
  return jobs
}

/** Entries of a job that can never be handled, while all others are. The job fails and keeps only these. */
export interface RefusedEntries {
  readonly entries: readonly PendingEntry[]
  readonly reason: string
}

export interface BarWork {
  readonly url: string
  readonly prefix?: string
  /** How many jobs are handled at once. */
  readonly concurrency: number
  /**
   * Handles one job and gives what of it can never be handled. It may be called again for a job that it has handled, by
   * this worker or another.
   */
  readonly handle: (job: BarJob) => Promise<RefusedEntries | undefined>
  /** True when the same job would succeed later. It then goes back to the front of the queue and burns no attempt. */
  readonly isTemporary: (error: unknown) => boolean
  /** How long all workers pause after a temporary error. */
  readonly retryDelayMs: number
  readonly log: QueueLog
  /** Ends the work: no further job is taken, and those running have CLOSE_TIMEOUT_MS to end. */
  readonly signal: AbortSignal
  readonly lockMs?: number
  readonly stalledCheckMs?: number
}

/**
 * The persister's end: takes jobs and hands them to `handle` until the signal aborts.
 *
 * A temporary error sets BullMQ's rate limit instead of failing the job: with five attempts and backoff an outage of 8 s
 * put all of 200 jobs into the failed set, with the limit none. Refused entries, and every other error, fail the job at once with the reason.
 */
export async function workBarQueue(work: BarWork): Promise<void> {
  const connections: Redis[] = []
  const prefix = work.prefix ?? PREFIX
  const connection = createClient(work.url, prefix, {
    connectionName: 'bar-worker',
    // BullMQ's condition: a worker waits for Redis however long it takes.
    maxRetriesPerRequest: null,
    socketTimeout: WORKER_SOCKET_TIMEOUT_MS,
  })
  connections.push(connection)
  // BullMQ makes a second connection for blocking out of ours; it must be at hand when closing does not come to its end.
  const duplicate = connection.duplicate.bind(connection)
  connection.duplicate = override => {
    const copy = duplicate(override)
    connections.push(copy)
    return copy
  }

  const worker = new Worker<BarJob>(QUEUE, runJob, {
    connection,
    prefix,
    concurrency: work.concurrency,
    lockDuration: work.lockMs ?? LOCK_MS,
    stalledInterval: work.stalledCheckMs ?? STALLED_CHECK_MS,
    maxStalledCount: STALLED_MAX,
    runRetryDelay: RETRY_REDIS_MS,
    limiter: LIMITER,
  })
  const warn = atMostEvery(LOG_EVERY_MS, (error: unknown, message: string) => work.log.warn({ err: error }, message))
  const stopPausing = pauseAfterErrors(worker)
  worker.on('error', error => warn(error, 'bar queue: trouble with Redis'))
  worker.on('stalled', jobId =>
    work.log.warn({ jobId }, 'bar queue: the worker of a job is gone; the job goes on here or there'),
  )

  let running = 0
  try {
    if (!work.signal.aborted) await once(work.signal, 'abort')
  } finally {
    stopPausing()
    const timeoutMs = running > 0 ? CLOSE_TIMEOUT_MS : CLOSE_IDLE_TIMEOUT_MS
    await Promise.race([worker.close(), sleep(timeoutMs, undefined, { ref: false })])
    // After a clean close these are closed already. Otherwise the job's lock runs out and another worker repeats it.
    for (const one of connections) one.disconnect()
  }

  async function runJob(job: Job<BarJob>): Promise<void> {
    running++
    let refused: RefusedEntries | undefined
    try {
      refused = await work.handle(job.data)
    } catch (error) {
      if (work.isTemporary(error)) {
        warn(error, 'bar queue: cannot be handled now, waiting')
        // The job goes back even where the limit cannot be set.
        await worker.rateLimit(work.retryDelayMs).catch(() => undefined)
        throw new RateLimitError()
      }
      work.log.error({ err: error, jobId: job.id }, 'bar queue: job failed')
      throw new UnrecoverableError((error as Error).message)
    } finally {
      running--
    }
    if (refused === undefined) return
    const { reason, entries } = refused
    work.log.error({ jobId: job.id, fields: entries.map(([field]) => field) }, `bar queue: job failed: ${reason}`)
    await job.updateData({ ...job.data, entries })
    throw new UnrecoverableError(reason)
  }
}

/** Stops taking jobs for a while when Redis answers with an error. Gives the function that ends this. */
function pauseAfterErrors(worker: Worker<BarJob>): () => void {
  let timer: NodeJS.Timeout | undefined
  worker.on('error', error => {
    if (error.name !== 'ReplyError' || timer !== undefined || worker.closing !== undefined) return
    void worker.pause(true)
    timer = setTimeout(() => {
      timer = undefined
      void worker.resume()
    }, ERROR_PAUSE_MS)
  })
  return () => clearTimeout(timer)
}
