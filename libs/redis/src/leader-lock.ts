/// <reference path="./redlock.d.ts" />
import { randomBytes } from 'node:crypto'
import Redlock from 'redlock'
import { createClient } from './client.ts'
import type { RedisConnection } from './connection.ts'

/**
 * The lease that makes one of several processes the leader, of a feed shard or of the audit, through redlock.
 *
 * A lease is a hint, not a guard: a leader that sleeps through its end does not know it. So nothing that is written relies
 * on it; the token of each partition (ownership.ts), checked inside Redis with every append, does. redlock is old
 * (5.0.0-beta.2, pinned): only `acquire` and `extend` are used, with our own loop, since in that build `using` can hand
 * out a lock that has run out already.
 */
export interface LeaderLock extends AsyncDisposable {
  /** Whether nobody holds the lease; undefined when Redis does not answer. */
  isFree(): Promise<boolean | undefined>
  /** Tries once. True when this process holds the lease now. */
  acquire(): Promise<boolean>
  /** Takes the lease from whoever holds it. What that one still writes is refused by the tokens that we claim next. */
  take(): Promise<boolean>
  /** Prolongs the lease if it can be done now; false when it was lost or has run out. */
  extend(): Promise<boolean>
  /** Gives the lease up at once. */
  release(): Promise<void>
}

/** The lease runs out this long after the last extension: the longest time a dead leader blocks the next by politeness. */
export const LEASE_MS = 1_500
/** A quarter of the lease, so that three extensions may fail. */
export const EXTEND_EVERY_MS = LEASE_MS / 4

/** A lease that somebody holds. */
export interface HeldLease {
  /** Undefined where its holder did not say. */
  readonly holder: string | undefined
  readonly leftMs: number
}

/** Who holds the lease `key`; undefined when it is free. */
export async function readLease(redis: RedisConnection, key: string): Promise<HeldLease | undefined> {
  const [value, leftMs] = await Promise.all([redis.get(key), redis.pttl(key)])
  return value === null ? undefined : { holder: holderOf(value), leftMs: Math.max(0, leftMs) }
}

/** redlock's own values are random alone; ours are random too, and tell people who it is. */
function leaseValueOf(holder: string): string {
  return `${randomBytes(16).toString('hex')}:${holder}`
}

function holderOf(value: string): string | undefined {
  const colon = value.indexOf(':')
  return colon < 0 ? undefined : value.slice(colon + 1)
}

/** @param options `key` is feedLeaseKey(shard) or AUDIT_LEASE_KEY; `holder` is told to whoever reads the lease */
export function openLeaderLock({ url, key, holder }: { url: string; key: string; holder?: string }): LeaderLock {
  // A client of its own: without the time-outs a hung Redis hangs `extend` for ever.
  const client = createClient(url, key, {
    connectionName: `leader-lock-${key}`,
    commandTimeout: LEASE_MS / 3 - 50,
    socketTimeout: LEASE_MS,
    maxRetriesPerRequest: 0,
    // What was given up must not run after a reconnect: a late DEL would take away another's lease.
    enableOfflineQueue: false,
  })
  client.on('error', () => undefined)
  const redlock = new Redlock([client], { retryCount: 0 })
  redlock.on('error', () => undefined)
  if (holder !== undefined) redlock._random = () => leaseValueOf(holder)
  let lock: Awaited<ReturnType<Redlock['acquire']>> | undefined
  return {
    async isFree() {
      return client.exists(key).then(
        count => count === 0,
        () => undefined,
      )
    },
    async take() {
      const isTaken = await client.del(key).then(
        () => true,
        () => false,
      )
      return isTaken && this.acquire()
    },
    async acquire() {
      try {
        lock = await redlock.acquire([key], LEASE_MS)
        // A process that slept while it waited for the answer is told of a lease that may be another's by now.
        return lock.expiration > Date.now()
      } catch {
        return false
      }
    },
    async extend() {
      if (lock === undefined) return false
      try {
        lock = await lock.extend(LEASE_MS)
        return true
      } catch {
        // An answer that did not come in time takes nothing away: the lease runs, and there are more turns before its end.
        return lock.expiration > Date.now()
      }
    },
    async release() {
      const held = lock
      lock = undefined
      // A lease that cannot be given back runs out by itself.
      await held?.release().catch(() => undefined)
    },
    async [Symbol.asyncDispose]() {
      await this.release()
      client.disconnect()
    },
  }
}
