import { type BarQueue, countPending, type PendingEntry, type RedisCommands, scanPending } from '@chart/redis'

/** Entries asked for at a time; a hint to Redis. */
const SCAN_COUNT = 500

/** Above this many waiting jobs nothing more is queued: the bars wait in the outbox, where they cost a third. */
export const WAITING_JOBS_MAX = 2_000

/**
 * Entries of one partition that a sweep looks at, about 2 MB. What is beyond them has its turn when these have left; a second's
 * bars of 400 symbols during an hour without PostgreSQL would be 0.5 GB here.
 */
export const SWEPT_ENTRIES_MAX = 5_000

/**
 * Queues again what stays in the outbox of a partition: jobs may be lost with a queue's Redis, or never have been made
 * because an aggregator died between its commit and the queue. Only what stood there, unchanged, at the sweep before is
 * queued, so that the ordinary way has had its time.
 */
export class PendingSweep {
  /** What stood there at the sweep before, and for how many sweeps it has. */
  #seen = new Map<string, Waiting>()
  #generation = 0

  /**
   * One sweep. Gives what is pending and how much was queued.
   * @param canQueue false: only look
   */
  async sweep(
    redis: RedisCommands,
    queue: BarQueue,
    tag: string,
    canQueue: boolean,
  ): Promise<{ pending: number; queued: number }> {
    const seen = new Map<string, Waiting>()
    const stuck: PendingEntry[] = []
    for await (const entries of scanPending(redis, tag, SCAN_COUNT)) {
      for (const entry of entries) {
        const [field, value] = entry
        const before = this.#seen.get(field)
        const sweeps = before?.value === value ? before.sweeps + 1 : 0
        const isDue = isTurn(sweeps) || (before?.value === value && before.isDue)
        seen.set(field, { value, sweeps, isDue })
        if (isDue) stuck.push(entry)
      }
      if (seen.size >= SWEPT_ENTRIES_MAX) break
    }
    this.#seen = seen
    const pending = seen.size < SWEPT_ENTRIES_MAX ? seen.size : await countPending(redis, tag)
    if (stuck.length === 0 || !canQueue) return { pending, queued: 0 }
    // The generation makes the job id new: a kept failed job of the same id would swallow this one.
    this.#generation++
    await queue.enqueue(tag, `sweep-${Date.now().toString(36)}-${this.#generation}`, stuck)
    for (const [field] of stuck) seen.get(field)!.isDue = false
    return { pending, queued: stuck.length }
  }
}

interface Waiting {
  readonly value: string
  readonly sweeps: number
  /** Its turn has come and it was not queued yet: a turn that falls into a time without room must not be lost, the next is far. */
  isDue: boolean
}

/**
 * After 1, 2, 4, 8 … sweeps and then every 64th, a quarter of an hour: a bar that PostgreSQL refuses for good must not fill the failed
 * set, and during an outage the same bars need not be queued again and again.
 */
function isTurn(sweeps: number): boolean {
  return sweeps > 0 && (sweeps % 64 === 0 || (sweeps < 64 && (sweeps & (sweeps - 1)) === 0))
}
