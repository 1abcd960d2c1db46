import type { PendingEntry } from '@chart/redis'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Transport } from './transports.ts'

const QUEUE = 'bar-jobs'
/** More of them at once make the worker no faster. */
const JOBS_MAX = 50

interface BarJob {
  readonly field: string
  readonly value: string
}

/** What one would write first: a job for each bar, `bulk` of them in one call, or one after the other. */
export async function openJobPerBar(url: string, bulk: number): Promise<Transport> {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const queue = new Queue<BarJob>(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } })
  await queue.waitUntilReady()
  return {
    async enqueue(entries) {
      for (let start = 0; start < entries.length; start += bulk) {
        const jobs = entries.slice(start, start + bulk).map(jobOf)
        if (bulk > 1) await queue.addBulk(jobs)
        else for (const { name, data, opts } of jobs) await queue.add(name, data, opts)
      }
    },
    async drain(wanted) {
      const done = Promise.withResolvers<number>()
      let drained = 0
      let bytes = 0
      const handle = async ({ data }: { data: BarJob }) => {
        bytes += data.field.length + data.value.length
        drained++
        if (drained >= wanted) done.resolve(performance.now())
      }
      const blocking = new Redis(url, { maxRetriesPerRequest: null })
      const worker = new Worker<BarJob>(QUEUE, handle, { connection: blocking, concurrency: JOBS_MAX })
      const time = await done.promise
      await worker.close()
      blocking.disconnect()
      return { bytes, time }
    },
    async close() {
      await queue.close()
      connection.disconnect()
    },
  }
}

/** The bar's identity as the id of its job, so that one that is enqueued twice waits once. BullMQ takes no colon in it. */
function jobOf([field, value]: PendingEntry) {
  return { name: 'persist', data: { field, value }, opts: { jobId: field } }
}
