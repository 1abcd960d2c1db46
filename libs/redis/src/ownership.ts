import { randomUUID } from 'node:crypto'
import type { RedisCommands } from './connection.ts'
import { headsKey, leaseKey, type OwnedWork, ownerKey, positionKey } from './keys.ts'

/**
 * Whoever works on a partition holds its token. Every write checks the token inside Redis, by equality: an owner that was
 * replaced while it slept can write nothing any more. Leases only decide when a claim is polite.
 */
export interface Claim {
  readonly tag: string
  readonly work: OwnedWork
  readonly owner: string
  readonly token: string
}

/** Another has claimed the partition: let go of it. */
export class FencedError extends Error {
  override name = 'FencedError'
  constructor(tag: string, work: OwnedWork) {
    super(`another owner has claimed partition ${tag} for ${work}`)
  }
}

/**
 * Claims the partition, or gives undefined while another's lease runs. `force` fences that other at once.
 * @param options `shard` is the feed shard that `owner` leads, written down for service-status.ts
 */
export async function claimPartition(
  redis: RedisCommands,
  options: { tag: string; work: OwnedWork; owner: string; leaseMs: number; force: boolean; shard?: number },
): Promise<Claim | undefined> {
  const { tag, work, owner, leaseMs, force, shard = '' } = options
  const keys = [ownerKey(tag, work), leaseKey(tag, work)]
  const values = [owner, leaseMs, force ? '1' : '0', randomUUID(), shard]
  const [answer, token] = await redis.claimPartition(2, ...keys, ...values)
  return answer === 'OK' && token !== undefined ? { tag, work, owner, token } : undefined
}

/**
 * Prolongs the lease.
 * @throws FencedError when another has claimed
 */
export async function renewPartition(redis: RedisCommands, claim: Claim, leaseMs: number): Promise<void> {
  const keys = [ownerKey(claim.tag, claim.work), leaseKey(claim.tag, claim.work)]
  const [answer] = await redis.renewPartition(2, ...keys, claim.owner, leaseMs, claim.token)
  if (answer === 'FENCED') throw new FencedError(claim.tag, claim.work)
}

/** Lets go, so that the next owner need not wait. Harmless when another has claimed already. */
export async function releasePartition(redis: RedisCommands, claim: Claim): Promise<void> {
  await redis.releasePartition(
    2,
    ownerKey(claim.tag, claim.work),
    leaseKey(claim.tag, claim.work),
    claim.owner,
    claim.token,
  )
}

/** How far the aggregation of a partition is, and whose it is. */
export interface PartitionProgress {
  /** Member whose lease runs; undefined when none does. */
  readonly owner: string | undefined
  /** Number of the last log entry that is in the bars. */
  readonly pos: number
  /** Number of the last entry in the log. */
  readonly seq: number
}

export async function lookAtPartition(redis: RedisCommands, tag: string): Promise<PartitionProgress> {
  const keys = [leaseKey(tag, 'aggregate'), positionKey(tag), headsKey(tag)]
  const [owner, pos, seq] = await redis.lookAtPartition(keys.length, ...keys)
  return { owner: owner === '' ? undefined : owner, pos: Number(pos), seq: Number(seq) }
}
