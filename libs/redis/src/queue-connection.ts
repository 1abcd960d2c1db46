import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { createClient, failFast } from './client.ts'
import { RedisUnavailableError } from './connection.ts'
import { placeOf } from './redis-address.ts'

/** Where errors are told that are nobody's answer. A pino logger is one. */
export interface QueueLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const QUEUE = 'bars'
/**
 * The braces put all of BullMQ's keys into one slot, so that on a cluster its connections are those of one server; its default prefix
 * fails there with CROSSSLOT.
 */
export const PREFIX = '{bull}'

/**
 * Failed jobs are kept for a person to look at and run again, at most this many and this long (30 MB if every job were
 * full). Their bars are in the outbox as well.
 */
const FAILED_KEPT = { count: 1_000, age: 14 * 24 * 3_600 }
/** BullMQ writes its own event stream, which nobody here reads; by default it keeps 10,000 entries. */
const EVENTS_KEPT = 100

/** How long the first call after opening waits for the connection. */
const READY_TIMEOUT_MS = 3_000
/** The same trouble is logged at most this often. */
export const LOG_EVERY_MS = 5_000

export interface BarQueueOptions {
  readonly url: string
  readonly prefix?: string
  readonly log?: QueueLog
}

/** The queue, and how it is asked: every call fails within seconds when Redis does not answer. */
export interface QueueConnection<Job> {
  readonly queue: Queue<Job>
  /** @throws RedisUnavailableError */
  call<T>(command: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** @param more `isOnlooker`: opening writes nothing, not even the queue's own settings */
export function connectQueue<Job>(options: BarQueueOptions, more: { isOnlooker?: boolean } = {}): QueueConnection<Job> {
  const prefix = options.prefix ?? PREFIX
  const connection = createClient(options.url, prefix, { ...failFast(), connectionName: 'bar-queue' })
  const warn = atMostEvery(LOG_EVERY_MS, (error: Error) =>
    options.log?.warn({ err: error }, 'bar queue: trouble with Redis'),
  )
  connection.on('error', warn)
  const queue = new Queue<Job>(QUEUE, {
    connection,
    prefix,
    // Looking at the version is a command that may fail, and BullMQ then never tries again.
    skipVersionCheck: true,
    skipMetasUpdate: more.isOnlooker === true,
    streams: { events: { maxLen: EVENTS_KEPT } },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: FAILED_KEPT, attempts: 1 },
  })
  queue.on('error', warn)

  const ready = async () => {
    await within(READY_TIMEOUT_MS, queue.waitUntilReady())
    if (connection.status !== 'ready') throw new Error('not connected')
  }
  const call = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      await ready()
      return await command()
    } catch (error) {
      if (error instanceof RangeError) throw error
      const { message } = error as Error
      throw new RedisUnavailableError(`the queue's Redis at ${placeOf(options.url)}: ${message}`, { cause: error })
    }
  }
  const close = async () => {
    connection.disconnect()
    await queue.close()
  }
  return { queue, call, close }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timeout = new AbortController()
  const late = sleep(ms, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`no connection in ${ms} ms`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timeout.abort()
  }
}

/** At most once in `ms`, and what comes in between not at all. */
export function atMostEvery<Args extends unknown[]>(
  ms: number,
  action: (...args: Args) => void,
): (...args: Args) => void {
  let next = 0
  return (...args) => {
    if (Date.now() < next) return
    next = Date.now() + ms
    action(...args)
  }
}
