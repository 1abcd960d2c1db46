import type { RedisCommands } from './connection.ts'
import { pendingKey } from './keys.ts'

/**
 * The outbox of a partition: closed bars that PostgreSQL has not confirmed. A bar enters it with the commit that closed it
 * and leaves it only here, after PostgreSQL has it; a queue that loses jobs therefore loses no bar.
 */
export type PendingEntry = readonly [field: string, value: string]

/** Takes out `entries`, except those that were restated since. Gives the number taken out. */
export async function ackPending(redis: RedisCommands, tag: string, entries: readonly PendingEntry[]): Promise<number> {
  if (entries.length === 0) return 0
  return redis.acknowledgeBars(1, pendingKey(tag), ...entries.flat())
}

/** How many bars wait for PostgreSQL. */
export async function countPending(redis: RedisCommands, tag: string): Promise<number> {
  return redis.hlen(pendingKey(tag))
}

/** All that wait, `countMax` at a time. */
export async function* scanPending(
  redis: RedisCommands,
  tag: string,
  countMax: number,
): AsyncGenerator<PendingEntry[]> {
  let cursor = '0'
  do {
    const [next, flat] = await redis.hscan(pendingKey(tag), cursor, 'COUNT', countMax)
    const entries: PendingEntry[] = []
    for (let index = 0; index + 1 < flat.length; index += 2) entries.push([flat[index]!, flat[index + 1]!])
    if (entries.length > 0) yield entries
    cursor = next
  } while (cursor !== '0')
}
