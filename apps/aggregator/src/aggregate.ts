import { type Interval, rankMembers } from '@chart/market'
import {
  type BarQueue,
  type Claim,
  claimPartition,
  FencedError,
  heartbeat,
  leave,
  type RedisCommands,
  readSymbols,
  releasePartition,
  renewPartition,
} from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { type OpenReader, workPartition } from './partition-worker.ts'
import { PendingSweep, WAITING_JOBS_MAX } from './sweep.ts'

/** A partition whose owner was not heard for this long may be claimed. Short: a false expiry costs one reload. */
const LEASE_MS = 1_500
/** Heartbeats, renewals and claims; a quarter of the lease, so that three may fail. */
const TURN_MS = 375
/** How often the outbox is looked through for bars that no job carries. */
const SWEEP_MS = 15_000

export interface AggregateOptions {
  readonly openReader: OpenReader
  readonly redis: RedisCommands
  readonly queue: BarQueue
  readonly intervals: readonly Interval[]
  readonly persistedIntervals: ReadonlySet<string>
  readonly member: string
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** For tests, which do not wait so long. */
  readonly sweepMs?: number
}

/** A partition that is ours, from its claim until its work has ended and it is given back. */
interface Owned {
  readonly claim: Claim
  readonly stop: AbortController
  readonly done: Promise<void>
  readonly sweep: PendingSweep
}

/** What is ours, and whether closed bars are queued at once or left to a later sweep. */
interface Share {
  readonly owned: Map<string, Owned>
  queueOpen: boolean
}

/**
 * Turns trades into bars for the share of the partitions that is ours: claims those that we rank first for, lets go of the
 * others, and works on each. Views of who lives may differ for a while; that costs a reload, never a trade.
 */
export async function aggregate(options: AggregateOptions): Promise<void> {
  const share: Share = { owned: new Map(), queueOpen: true }
  // Apart from each other: a slow queue must not cost leases.
  await Promise.all([keepShare(share, options), keepSweeping(share, options)])
}

async function keepShare(share: Share, options: AggregateOptions): Promise<void> {
  const { redis, member, metrics, log, signal } = options
  const { owned } = share
  while (!signal.aborted) {
    try {
      const wanted = await partitionsOf(redis, await heartbeat(redis, 'aggregator', member), member)
      for (const [tag, one] of owned) if (!wanted.has(tag)) one.stop.abort()
      const turns = await Promise.allSettled([...wanted].map(tag => keepPartition(tag, share, options)))
      const failed = turns.find(turn => turn.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'Redis does not answer; trying again')
    }
    metrics.owned.set(owned.size)
    await delay(TURN_MS, signal)
  }
  for (const one of owned.values()) one.stop.abort()
  await leave(redis, 'aggregator', member).catch(() => undefined)
  await Promise.all([...owned.values()].map(one => one.done))
}

/** Tags of the partitions with symbols that `member` ranks first for. */
async function partitionsOf(redis: RedisCommands, members: readonly string[], member: string): Promise<Set<string>> {
  const tags = new Set((await readSymbols(redis)).values())
  return new Set([...tags].filter(tag => rankMembers(tag, members)[0] === member))
}

/** Renews what is ours, claims what is to be. */
async function keepPartition(tag: string, share: Share, options: AggregateOptions): Promise<void> {
  const { redis, member } = options
  const one = share.owned.get(tag)
  if (one === undefined) {
    const claim = await claimPartition(redis, {
      tag,
      work: 'aggregate',
      owner: member,
      leaseMs: LEASE_MS,
      force: false,
    })
    if (claim !== undefined) begin(claim, share, options)
  } else if (!one.stop.signal.aborted) {
    await renewPartition(redis, one.claim, LEASE_MS).catch(error => {
      if (!(error instanceof FencedError)) throw error
      one.stop.abort(error)
    })
  }
}

function begin(claim: Claim, share: Share, options: AggregateOptions): void {
  options.log.info({ tag: claim.tag, token: claim.token }, 'partition claimed')
  const stop = new AbortController()
  const done = ownPartition(claim, stop.signal, share, options).finally(() => share.owned.delete(claim.tag))
  share.owned.set(claim.tag, { claim, stop, done, sweep: new PendingSweep() })
}

/** Works until the signal, finishes the commit under way, and gives the partition to whoever wants it. Never fails. */
async function ownPartition(claim: Claim, signal: AbortSignal, share: Share, options: AggregateOptions): Promise<void> {
  const { redis, log } = options
  const { tag } = claim
  try {
    await workPartition({ ...options, claim, signal, canQueue: () => share.queueOpen })
    if (signal.reason instanceof FencedError) throw signal.reason
    await releasePartition(redis, claim)
    log.info({ tag }, 'partition handed over')
  } catch (error) {
    if (error instanceof FencedError) log.warn({ tag }, 'partition lost to another owner')
    else log.warn({ tag, reason: (error as Error).message }, 'partition given up; its lease ends by itself')
  }
}

async function keepSweeping(share: Share, options: AggregateOptions): Promise<void> {
  const { queue, log, signal, sweepMs = SWEEP_MS } = options
  while (!signal.aborted) {
    await delay(sweepMs, signal)
    if (signal.aborted) return
    try {
      share.queueOpen = (await queue.waitingCount()) <= WAITING_JOBS_MAX
    } catch (error) {
      share.queueOpen = false
      log.warn({ reason: (error as Error).message }, 'no bars are queued; they wait in the outbox')
    }
    await sweepOwned(share, options).catch(error =>
      log.warn({ reason: error.message }, 'sweep of the outbox broken off until the next'),
    )
  }
}

async function sweepOwned(share: Share, { redis, queue, metrics, log }: AggregateOptions): Promise<void> {
  let pending = 0
  for (const [tag, { sweep }] of share.owned) {
    const swept = await sweep.sweep(redis, queue, tag, share.queueOpen)
    pending += swept.pending
    metrics.swept.inc(swept.queued)
    if (swept.queued > 0) log.info({ tag, bars: swept.queued }, 'queued again what PostgreSQL has not confirmed')
  }
  metrics.pending.set(pending)
}
