import { openBarQueue, partitionTag, workBarQueue } from '@chart/redis'
import type { Transport } from './transports.ts'

const PARTITIONS = 32
/** As many as the persister takes at once. */
const JOBS_MAX = 10

/** Ours: the aggregator's end and the persister's end of the queue, as these call them. */
export async function openJobPerFlush(url: string): Promise<Transport> {
  const queue = openBarQueue({ url })
  await queue.waitingCount()
  let commits = 0
  return {
    async enqueue(entries) {
      commits++
      await queue.enqueue(partitionTag(commits % PARTITIONS), `${commits}-1`, entries)
    },
    async drain(wanted) {
      const done = new AbortController()
      let drained = 0
      let bytes = 0
      let time = 0
      await workBarQueue({
        url,
        concurrency: JOBS_MAX,
        async handle({ entries }) {
          for (const [field, value] of entries) bytes += field.length + value.length
          drained += entries.length
          if (drained >= wanted) {
            time = performance.now()
            done.abort()
          }
          return undefined
        },
        isTemporary: () => false,
        retryDelayMs: 1_000,
        log: { warn: tell, error: tell },
        signal: done.signal,
      })
      return { bytes, time }
    },
    close: () => queue.close(),
  }
}

function tell(fields: object, message: string): void {
  console.error(message, fields)
}
