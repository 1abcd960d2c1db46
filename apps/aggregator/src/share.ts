import { rankMembers } from '@chart/market'
import {
  type Claim,
  claimPartition,
  FencedError,
  heartbeat,
  leave,
  lookAtPartition,
  ProgressWatch,
  type RedisCommands,
  readSymbols,
  releasePartition,
  renewPartition,
} from '@chart/redis'
import type { Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { PendingSweep } from './sweep.ts'

/** A partition whose owner was not heard for this long may be claimed. Short: a false expiry costs one reload. */
const LEASE_MS = 1_500
/** An owner whose bars stand still for this long while its log grows is overtaken; a commit takes a few ms, a slow one 50. */
const STALL_MS = 350
/**
 * What was stolen is kept at least this long, also when the one that it was stolen from ranks first again: it may have been stopped, and
 * be stopped again.
 */
const STOLEN_KEPT_MS = 5_000

export interface ShareOptions {
  readonly redis: RedisCommands
  readonly member: string
  readonly metrics: Metrics
  readonly log: Log
}

/** Works on a partition until the signal aborts. @throws FencedError when another has claimed it */
export type Work = (claim: Claim, signal: AbortSignal) => Promise<void>

/** A partition that is ours, from its claim until its work has ended and it is given back. */
interface Owned {
  readonly claim: Claim
  readonly stop: AbortController
  readonly done: Promise<void>
  readonly sweep: PendingSweep
  /** By performance.now(); until then it is kept whoever ranks first. */
  readonly keptUntil: number
}

/**
 * The share of the partitions that is ours. Each belongs to the member that ranks first for it (rendezvous hashing), so that one that
 * joins or leaves moves only its own share; the second watches the first and overtakes it when it stands still.
 *
 * Views of who lives may differ for a while; that costs a reload, never a trade.
 */
export class Share {
  readonly #options: ShareOptions
  readonly #work: Work
  readonly #owned = new Map<string, Owned>()
  readonly #watch = new ProgressWatch(STALL_MS)
  /** Our place among the members of each partition; 0 is first. */
  #ranks = new Map<string, number>()
  /** Partitions of which nobody held the lease when we looked last. */
  #vacant = new Set<string>()
  #left = false

  constructor(options: ShareOptions, work: Work) {
    this.#options = options
    this.#work = work
  }

  get size(): number {
    return this.#owned.size
  }

  /** Of what we own. */
  tags(): string[] {
    return [...this.#owned.keys()]
  }

  /** What we own, with the sweep of its outbox. */
  *owned(): Generator<{ tag: string; sweep: PendingSweep }> {
    for (const [tag, { sweep }] of this.#owned) yield { tag, sweep }
  }

  /** Says that we live, learns who else does, lets go of what is another's by now and renews the rest. */
  async keep(): Promise<void> {
    await this.#learnRanks()
    const now = performance.now()
    for (const [tag, one] of this.#owned) if (this.#ranks.get(tag) !== 0 && now >= one.keptUntil) one.stop.abort()
    await Promise.all([...this.#owned.values()].map(one => this.#renew(one)))
  }

  /**
   * Looks at the partitions that are to be ours or that we are second for: claims those that nobody holds, and overtakes owners that
   * stand still.
   * @param isLate we came too late to this look
   */
  async look(isLate: boolean): Promise<void> {
    const watched = [...this.#ranks].filter(([tag, rank]) => rank <= 1 && !this.#owned.has(tag)).map(([tag]) => tag)
    const looks = await Promise.all(
      watched.map(async tag => ({ tag, ...(await lookAtPartition(this.#options.redis, tag)) })),
    )
    const vacant = looks.filter(({ owner }) => owner === undefined || owner === this.#options.member)
    // Whoever let go may have left: then it is our turn, though our view of the members is of an earlier time.
    if (vacant.some(({ tag }) => !this.#vacant.has(tag) && this.#ranks.get(tag) !== 0)) await this.#learnRanks()
    this.#vacant = new Set(vacant.map(({ tag }) => tag))
    const now = performance.now()
    await Promise.all(
      looks.map(async ({ tag, pos, seq }) => {
        const isStill = this.#watch.observe(tag, pos, seq > pos, now, isLate)
        if (this.#vacant.has(tag) && this.#ranks.get(tag) === 0) await this.#claim(tag, false)
        else if (isStill) await this.#claim(tag, true)
      }),
    )
  }

  /** Leaves the members and gives everything back, each partition after the commit under way. Never fails. */
  async leave(): Promise<void> {
    const { redis, member } = this.#options
    this.#left = true
    // First: whoever sees a partition without an owner then finds itself next.
    await leave(redis, 'aggregator', member).catch(() => undefined)
    for (const one of this.#owned.values()) one.stop.abort()
    await Promise.all([...this.#owned.values()].map(({ done }) => done))
  }

  async #learnRanks(): Promise<void> {
    const { redis, member } = this.#options
    const members = await heartbeat(redis, 'aggregator', member)
    const tags = new Set((await readSymbols(redis)).values())
    this.#ranks = new Map([...tags].map(tag => [tag, rankMembers(tag, members).indexOf(member)]))
  }

  async #renew({ claim, stop }: Owned): Promise<void> {
    if (stop.signal.aborted) return
    try {
      await renewPartition(this.#options.redis, claim, LEASE_MS)
    } catch (error) {
      if (!(error instanceof FencedError)) throw error
      stop.abort(error)
    }
  }

  async #claim(tag: string, steal: boolean): Promise<void> {
    const { redis, member, metrics, log } = this.#options
    if (steal) {
      this.#watch.noteSteal(tag, performance.now())
      metrics.steals.inc()
      log.warn({ tag }, 'the owner of a partition stands still while its log grows; overtaking it')
    }
    const claim = await claimPartition(redis, {
      tag,
      work: 'aggregate',
      owner: member,
      leaseMs: LEASE_MS,
      force: steal,
    })
    if (claim === undefined) return
    // We may have left while we waited for the answer.
    if (this.#left) return releasePartition(redis, claim)
    log.info({ tag, token: claim.token }, 'partition claimed')
    const stop = new AbortController()
    const done = this.#own(claim, stop.signal).finally(() => this.#owned.delete(tag))
    const keptUntil = steal ? performance.now() + STOLEN_KEPT_MS : 0
    this.#owned.set(tag, { claim, stop, done, sweep: new PendingSweep(), keptUntil })
  }

  /** Works until the signal, finishes the commit under way, and gives the partition to whoever wants it. Never fails. */
  async #own(claim: Claim, signal: AbortSignal): Promise<void> {
    const { redis, log } = this.#options
    const { tag } = claim
    try {
      await this.#work(claim, signal)
      if (signal.reason instanceof FencedError) throw signal.reason
      await releasePartition(redis, claim)
      log.info({ tag }, 'partition handed over')
    } catch (error) {
      if (error instanceof FencedError) log.warn({ tag }, 'partition lost to another owner')
      else log.warn({ tag, reason: (error as Error).message }, 'partition given up; its lease ends by itself')
    }
  }
}
