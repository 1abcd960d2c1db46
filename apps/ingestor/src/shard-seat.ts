import { EXTEND_EVERY_MS, type LeaderLock, readFeedStatus, readHeads } from '@chart/redis'
import { delay } from '@chart/service'
import type { ShardFeeds } from './feed-metrics.ts'
import { LeaderWatch } from './leader-watch.ts'
import { ShardLeader, type ShardLeaderOptions } from './shard-leader.ts'
import { type OpenFeed, ShardListener } from './shard-listener.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** How often a standby looks whether the leader moves. */
const LOOK_MS = 100
/** Coming this much too late to a look, we wait longer before we overtake: what seems to stand still may be ourselves. */
const LAG_MAX_MS = 50
/** A free lease is for the first in line; the second takes it after this long, should the first not want it. */
const SECOND_PATIENCE_MS = 750
/**
 * Who hears no feed does not want the lead, unless nobody else has wanted it for so long: gaps can be filled by REST, and someone has
 * to write that the feed is not heard.
 */
const DEAF_PATIENCE_MS = 5_000
/** A leader that is not the first in line (any more) hands over after this long, when the first has had time to connect its feed. */
const HAND_OVER_MIN_MS = 10_000
/** Each lead as the second doubles that, up to here: a first that cannot lead must not get it again and again. */
const HAND_OVER_MAX_MS = 600_000
/** After a lead that ended by itself, so that a Redis that refuses its first step is not asked all the time. */
const RETRY_MS = 375

export interface SeatOptions extends Omit<ShardLeaderOptions, 'watermark'> {
  /** The lease of a feed shard. */
  openLock(shard: number): LeaderLock
  /** The feed of these symbols, until the signal aborts. */
  readonly openFeed: OpenFeed
  readonly signal: AbortSignal
  /** For tests: how long a leader that is not first in line (any more) goes on leading. */
  readonly handOverMs?: number
  /** Nobody leads: who lives may have changed since we asked. */
  onVacant(): void
}

interface Listening {
  readonly listener: ShardListener
  readonly stop: AbortController
  readonly done: Promise<void>
}

/**
 * Our seat at one feed shard. The first two in line listen to its feed: one leads, the other is a warm standby that holds the newest
 * trades of each symbol. The standby watches the log: when it stands still although there are trades to append, the leader is dead,
 * asleep, cut off or deaf, and the standby takes its place without waiting for the lease to run out. The others are idle.
 */
export class ShardSeat implements ShardFeeds {
  readonly #options: SeatOptions
  readonly #watch = new LeaderWatch()
  #rank = Number.POSITIVE_INFINITY
  #listening: Listening | undefined
  /** The feed ended before its time, by a mistake of ours: the process ends with it. */
  #failure: unknown
  /** By performance.now(): since when nobody holds the lease, as far as we saw. */
  #vacantSince: number | undefined
  #lookTime = 0
  #handOverMs: number

  constructor(options: SeatOptions) {
    this.#options = options
    this.#handOverMs = options.handOverMs ?? HAND_OVER_MIN_MS
  }

  get shard(): number {
    return this.#options.shard
  }

  get feeds(): readonly SymbolFeed[] {
    return this.#options.feeds
  }

  get isLed(): boolean {
    return this.#listening?.listener.isLed ?? false
  }

  /** Since the feed was last heard; undefined while we do not listen. */
  get silentMs(): number | undefined {
    return this.#listening?.listener.silentMs
  }

  /** The newest watermark that the feed's clock allows; 0 while we do not listen. */
  watermark = (): number => this.#listening?.listener.watermark() ?? 0

  /** Our place in line for the lead; 0 is first. */
  set rank(rank: number) {
    this.#rank = rank
  }

  /** Listens, watches and leads as our place in line has it, until the signal aborts. */
  async run(): Promise<void> {
    const { shard, signal } = this.#options
    await using lock = this.#options.openLock(shard)
    try {
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure
        if (this.#rank > 1) await this.#stopListening()
        else {
          this.#listen()
          if (await this.#getsLead(lock)) await this.#lead(lock)
        }
        this.#lookTime = performance.now()
        await delay(LOOK_MS, signal)
      }
    } finally {
      await this.#stopListening()
    }
  }

  #listen(): void {
    if (this.#listening !== undefined) return
    const { feeds, signal } = this.#options
    const stop = new AbortController()
    const listener = new ShardListener(feeds, { ...this.#options, signal: AbortSignal.any([signal, stop.signal]) })
    const done = listener.listen().catch(error => {
      this.#failure = error
    })
    this.#listening = { listener, stop, done }
  }

  async #stopListening(): Promise<void> {
    const { stop, done } = this.#listening ?? {}
    this.#listening = undefined
    stop?.abort()
    await done
    for (const feed of this.#options.feeds) if (feed.heard) feed.disconnect()
  }

  async #getsLead(lock: LeaderLock): Promise<boolean> {
    const isFree = await lock.isFree()
    const now = performance.now()
    if (isFree === undefined) return false
    if (!isFree) {
      this.#vacantSince = undefined
      return (await this.#standsStill(now)) && lock.take()
    }
    if (this.#vacantSince === undefined) this.#options.onVacant()
    this.#vacantSince ??= now
    const isHeard = this.#options.feeds.some(({ heard }) => heard)
    const patienceMs = isHeard ? this.#rank * SECOND_PATIENCE_MS : DEAF_PATIENCE_MS + this.#rank * SECOND_PATIENCE_MS
    return now - this.#vacantSince >= patienceMs && lock.acquire()
  }

  /** Whether some symbol's log has stood still for too long although the leader should have trades for it. */
  async #standsStill(now: number): Promise<boolean> {
    const { redis, feeds, metrics, log, shard } = this.#options
    const isLate = now - this.#lookTime - LOOK_MS > LAG_MAX_MS
    const tags = [...new Set(feeds.map(({ tag }) => tag))]
    const ask = (tag: string) =>
      readHeads(
        redis,
        tag,
        feeds.filter(feed => feed.tag === tag).map(({ symbol }) => symbol),
      )
    const heads = new Map((await Promise.all(tags.map(ask)).catch(() => [])).flatMap(of => [...of]))
    const seenTime = performance.now()
    const unclear: SymbolFeed[] = []
    let still: SymbolFeed | undefined
    for (const feed of feeds) {
      const head = heads.get(feed.symbol)
      if (head === undefined) continue
      const verdict = this.#watch.observe(feed, head, seenTime, isLate)
      if (verdict === 'stalled') still ??= feed
      else if (verdict === 'unclear') unclear.push(feed)
    }
    const overtaken = still ?? (await this.#deafFor(unclear))
    if (overtaken === undefined) return false
    this.#watch.noteSteal(feeds, seenTime)
    metrics.steals.inc()
    const why = still ? 'the leader stands still' : 'the leader stands still and knows of no gap'
    log.warn({ shard, symbol: overtaken.symbol }, `${why}; taking its place`)
    return true
  }

  /** The first of `feeds` of which the leader does not say that it is filling a gap. */
  async #deafFor(feeds: readonly SymbolFeed[]): Promise<SymbolFeed | undefined> {
    if (feeds.length === 0) return undefined
    const statuses = await readFeedStatus(this.#options.redis, feeds).catch(() => undefined)
    return feeds.find((_, index) => statuses !== undefined && statuses[index]!.state !== 'backfilling')
  }

  /** Leads for as long as it can be done, and hands over in good order. */
  async #lead(lock: LeaderLock): Promise<void> {
    const { shard, metrics, log, signal } = this.#options
    const { listener } = this.#listening!
    const { handOverMs = HAND_OVER_MIN_MS } = this.#options
    this.#handOverMs = this.#rank === 0 ? handOverMs : Math.min(this.#handOverMs * 2, HAND_OVER_MAX_MS)
    log.info({ shard }, 'leading')
    metrics.leading.inc()
    const leader = new ShardLeader({ ...this.#options, watermark: this.watermark })
    listener.leader = leader
    let ended = false
    const running = leader.run().then(
      () => log.info({ shard }, 'no longer leading'),
      error => log.warn({ shard, reason: (error as Error).message }, 'no longer leading'),
    )
    const end = running.finally(() => {
      ended = true
    })
    let firstTime = performance.now()
    while (!signal.aborted && !ended) {
      await Promise.race([delay(EXTEND_EVERY_MS, signal), end])
      if (ended || signal.aborted || this.#failure !== undefined || !(await lock.extend())) break
      if (this.#rank === 0) firstTime = performance.now()
      if (performance.now() - firstTime >= this.#handOverMs) break
    }
    const endedByItself = ended
    leader.stop()
    await running
    listener.leader = undefined
    metrics.leading.dec()
    await lock.release()
    this.#vacantSince = undefined
    this.#watch.rest()
    if (endedByItself) await delay(RETRY_MS, signal)
  }
}
