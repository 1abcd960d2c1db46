import { rankMembers } from '@chart/market'
import type { RedisCommands } from './connection.ts'
import { membersKey } from './keys.ts'

/** A member that was not heard for this long is no longer counted on. Only liveness hangs on it, never safety. */
export const MEMBER_TTL_MS = 1_500

/**
 * Says that `member` of `app` lives, and gives all living members in stable order. Times are those of Redis, so that the
 * members' clocks need not agree.
 */
export async function heartbeat(redis: RedisCommands, app: string, member: string): Promise<string[]> {
  return (await redis.heartbeatMember(1, membersKey(app), member, MEMBER_TTL_MS)).sort()
}

/** Says that `member` goes, so that the others need not wait for its silence. */
export async function leave(redis: RedisCommands, app: string, member: string): Promise<void> {
  await redis.zrem(membersKey(app), member)
}

/** The members in line for the lead of a feed shard: the first should lead, the second stands by. */
export function lineOfShard(shard: number, members: readonly string[]): string[] {
  return rankMembers(`feed-${shard}`, members)
}
