import { type Interval, rankMembers } from '@chart/market'
import {
  type BarQueue,
  type Claim,
  claimPartition,
  FencedError,
  heartbeat,
  leave,
  type RedisConnection,
  readSymbols,
  releasePartition,
  renewPartition,
} from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { workPartition } from './partition-worker.ts'
import { PendingSweep } from './sweep.ts'

/** A partition whose owner was not heard for this long may be claimed. Short: a false expiry costs one reload. */
const LEASE_MS = 1_500
/** Heartbeats, renewals and claims; a quarter of the lease, so that three may fail. */
const TURN_MS = 375
/** How often the outbox is looked through for bars that no job carries. */
const SWEEP_MS = 15_000

export interface AggregateOptions {
  readonly redisUrl: string
  readonly redis: RedisConnection
  readonly queue: BarQueue
  readonly intervals: readonly Interval[]
  readonly persistedIntervals: ReadonlySet<string>
  readonly member: string
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
}

interface Owned {
  readonly claim: Claim
  readonly stop: AbortController
  readonly done: Promise<void>
  readonly sweep: PendingSweep
}

/**
 * Turns trades into bars for the share of the partitions that is ours: claims those that we rank first for, lets go of the
 * others, and works on each. Views of who lives may differ for a while; that costs a reload, never a trade.
 */
export async function aggregate(options: AggregateOptions): Promise<void> {
  const { redis, member, metrics, log, signal } = options
  const owned = new Map<string, Owned>()
  let sweepTime = Date.now()
  while (!signal.aborted) {
    try {
      const wanted = await partitionsOf(redis, await heartbeat(redis, 'aggregator', member), member)
      for (const [tag, one] of owned) if (!wanted.has(tag)) await handOver(options, owned, one)
      for (const tag of wanted) {
        const one = owned.get(tag)
        if (one === undefined) await tryClaim(options, owned, tag)
        else await renewPartition(redis, one.claim, LEASE_MS).catch(error => onRenewError(error, one))
      }
      if (Date.now() - sweepTime >= SWEEP_MS) {
        sweepTime = Date.now()
        await sweepOwned(options, owned)
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'Redis does not answer; trying again')
    }
    metrics.owned.set(owned.size)
    await delay(TURN_MS, signal)
  }
  await leave(redis, 'aggregator', member).catch(() => undefined)
  await Promise.all([...owned.values()].map(one => handOver(options, owned, one)))
}

/** Tags of the partitions with symbols that `member` ranks first for. */
async function partitionsOf(redis: RedisConnection, members: readonly string[], member: string): Promise<Set<string>> {
  const tags = new Set((await readSymbols(redis)).values())
  return new Set([...tags].filter(tag => rankMembers(tag, members)[0] === member))
}

async function tryClaim(options: AggregateOptions, owned: Map<string, Owned>, tag: string): Promise<void> {
  const { redis, member, log } = options
  const claim = await claimPartition(redis, { tag, work: 'aggregate', owner: member, leaseMs: LEASE_MS, force: false })
  if (claim === undefined) return
  log.info({ tag, token: claim.token }, 'partition claimed')
  const stop = new AbortController()
  const work = workPartition({ ...options, claim, signal: stop.signal })
  const done = work
    .catch(error => {
      if (error instanceof FencedError) log.warn({ tag }, 'partition lost to another owner')
      else log.error({ tag, err: error }, 'work on the partition ended')
    })
    .finally(() => {
      if (owned.get(tag)?.claim === claim) owned.delete(tag)
    })
  owned.set(tag, { claim, stop, done, sweep: new PendingSweep() })
}

/** Finishes the commit under way and gives the partition to whoever wants it, without waiting for the lease to end. */
async function handOver({ redis, log }: AggregateOptions, owned: Map<string, Owned>, one: Owned): Promise<void> {
  const { claim } = one
  one.stop.abort()
  await one.done
  owned.delete(claim.tag)
  await releasePartition(redis, claim).catch(error =>
    log.warn({ tag: claim.tag, reason: error.message }, 'the lease ends by itself'),
  )
  log.info({ tag: claim.tag }, 'partition handed over')
}

function onRenewError(error: unknown, one: Owned): void {
  if (error instanceof FencedError) one.stop.abort()
  else throw error
}

async function sweepOwned({ redis, queue, metrics, log }: AggregateOptions, owned: Map<string, Owned>): Promise<void> {
  let pending = 0
  for (const [tag, { sweep }] of owned) {
    const swept = await sweep.sweep(redis, queue, tag)
    pending += swept.pending
    metrics.swept.inc(swept.queued)
    if (swept.queued > 0) log.info({ tag, bars: swept.queued }, 'queued again what PostgreSQL has not confirmed')
  }
  metrics.pending.set(pending)
}
