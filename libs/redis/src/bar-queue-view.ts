import type { BarJob } from './bar-queue.ts'
import { RedisUnavailableError } from './connection.ts'
import { type BarQueueOptions, connectQueue, type QueueLog } from './queue-connection.ts'

/** The queue as an operator sees it: how much waits, what failed and why, and the failed once more. */
export interface BarQueueView extends AsyncDisposable {
  counts(): Promise<QueueCounts>
  /** The newest that failed, at most `countMax`. */
  failed(countMax: number): Promise<FailedJob[]>
  /** Puts all that failed back into the queue. Bars that PostgreSQL has meanwhile change nothing there. */
  retryFailed(): Promise<void>
}

export interface QueueCounts {
  readonly waiting: number
  readonly active: number
  readonly delayed: number
  readonly failed: number
}

export interface FailedJob {
  readonly id: string
  readonly failedTime: number
  readonly reason: string
  /** The bars that it lacks, as fields of the outbox: `BTCUSDT|1m|1723118400000`. */
  readonly fields: readonly string[]
}

export function openBarQueueView(options: BarQueueOptions): BarQueueView {
  let trouble: Error | undefined
  const log: QueueLog = {
    warn(fields, message) {
      if ('err' in fields && fields.err instanceof Error) trouble = fields.err
      options.log?.warn(fields, message)
    },
    error: (fields, message) => options.log?.error(fields, message),
  }
  const { queue, call: callQueue, close } = connectQueue<BarJob>({ ...options, log }, { isOnlooker: true })
  /** BullMQ says only that there is no connection; why there is none (a wrong password, a wrong port) is what helps whoever looks. */
  const call = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      return await callQueue(command)
    } catch (error) {
      if (!(error instanceof RedisUnavailableError) || trouble === undefined) throw error
      if (error.message.includes(trouble.message)) throw error
      throw new RedisUnavailableError(`${error.message}: ${trouble.message}`, { cause: error })
    }
  }
  return {
    async counts() {
      const types = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const
      const {
        waiting = 0,
        prioritized = 0,
        active = 0,
        delayed = 0,
        failed = 0,
      } = await call(() => queue.getJobCounts(...types))
      return { waiting: waiting + prioritized, active, delayed, failed }
    },
    async failed(countMax) {
      const jobs = await call(() => queue.getFailed(0, countMax - 1))
      return jobs.map(({ id = '', finishedOn = 0, failedReason, data }) => ({
        id,
        failedTime: finishedOn,
        reason: failedReason,
        fields: data.entries.map(([field]) => field),
      }))
    },
    retryFailed: () => call(() => queue.retryJobs({ state: 'failed' })),
    [Symbol.asyncDispose]: close,
  }
}
