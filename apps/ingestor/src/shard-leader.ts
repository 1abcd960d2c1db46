import type { ExchangeRest } from '@chart/binance'
import {
  type Claim,
  claimPartition,
  FencedError,
  LEASE_MS,
  PartitionsChangedError,
  type RedisCommands,
  writeFeedStates,
} from '@chart/redis'
import { delay, type Log, NO_TRACES, type Tracer } from '@chart/service'
import type { FirstBars } from './first-bars.ts'
import { GapFiller } from './gap-filler.ts'
import type { Metrics } from './metrics.ts'
import type { NewestTrades } from './newest-trades.ts'
import { PartitionLog } from './partition-log.ts'
import { type ReadStoredStart, seedSymbol } from './seed.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** How often every symbol is looked at: is its state written, is it seeded, proven, and its gap being filled. */
const TEND_MS = 500
/**
 * A symbol of which nothing was heard for so long is looked up: the last trade before a silence leaves no gap when it gets lost.
 * 2,000 silent symbols cost a twentieth of the REST weight, since those that are due are asked for together.
 */
const AUDIT_MS = 60_000
/** How long the question for a silent symbol waits for others to go with. */
const AUDIT_PATIENCE_MS = 5_000
/** Symbols that begin wait so long for each other: for partitions of which Redis does not say yet where their logs stand. */
const BEGIN_PATIENCE_MS = 1_000
/** After an error that asking again at once cannot cure. */
const ERROR_PAUSE_MS = 5_000

export interface ShardLeaderOptions {
  readonly shard: number
  readonly feeds: readonly SymbolFeed[]
  readonly member: string
  readonly redis: RedisCommands
  readonly rest: ExchangeRest
  /** Of the whole process, as the weight is. */
  readonly newestTrades: NewestTrades
  readonly firstBars: FirstBars
  readonly readStoredStart?: ReadStoredStart
  readonly metrics: Metrics
  readonly tracer?: Tracer
  readonly log: Log
  /** For tests, which do not wait a minute. */
  readonly auditMs?: number
  /** Makes the symbols known; Redis may have been emptied since. */
  register(): Promise<void>
  watermark(): number
}

/**
 * What a feed shard's leader does besides listening: claims the partitions, brings the trade logs up to what was heard, fills gaps,
 * and keeps feed states. It exists from the lease to its end; a standby has none.
 */
export class ShardLeader {
  readonly #options: ShardLeaderOptions
  readonly #stop = new AbortController()
  readonly #logs = new Map<string, PartitionLog>()
  /** Which symbols begin; they do together, so that it does not depend on the order of answers which are the most traded of them. */
  #beginning: Promise<unknown> = Promise.resolve()
  readonly #filler: GapFiller
  readonly #seeding = new Set<SymbolFeed>()
  readonly #verifying = new Set<SymbolFeed>()

  constructor(options: ShardLeaderOptions) {
    this.#options = options
    const { rest, metrics, log } = options
    this.#filler = new GapFiller({
      rest,
      metrics,
      log,
      signal: this.#stop.signal,
      onAdded: feed => this.wake(feed.tag),
    })
  }

  /** Trades or a watermark of the partition wait. */
  wake(tag: string): void {
    this.#logs.get(tag)?.wake()
  }

  wakeAll(): void {
    for (const log of this.#logs.values()) log.wake()
  }

  /** A gap may have opened. */
  fill(feed: SymbolFeed): void {
    this.#filler.fill(feed)
  }

  stop(): void {
    this.#stop.abort()
  }

  /**
   * Leads until stop(), and returns when everything has ended.
   * @throws FencedError when another has claimed a partition; PartitionsChangedError; an error of Redis when it fails before the claims
   */
  async run(): Promise<void> {
    const { signal } = this.#stop
    try {
      const claims = await this.#claimAll()
      if (signal.aborted) return
      const parts = claims.map(claim => this.#openLog(claim))
      const known = Promise.all(parts.map(({ log }) => log.known))
      this.#beginning = Promise.race([known, delay(BEGIN_PATIENCE_MS, signal)])
      const leading = parts.flatMap(({ claim, feeds, log }) => [log.run(), this.#tend(claim, feeds)])
      const running = [this.#register(), ...leading]
      // The first that fails ends the others, and is waited for: they share the feeds with whoever leads next.
      for (const one of running) one.catch(() => this.stop())
      const failed = (await Promise.allSettled(running)).find(result => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } finally {
      this.stop()
    }
  }

  /** Redis over maxmemory, or just emptied, does not keep us from leading: what it does not take now is written later. */
  async #register(): Promise<void> {
    const { register, log } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        return await register()
      } catch (error) {
        if (error instanceof PartitionsChangedError) throw error
        log.warn({ reason: (error as Error).message }, 'symbols are not registered yet; trying again')
        await delay(ERROR_PAUSE_MS, signal)
      }
    }
  }

  /** By force: the lease says that it is our turn, and the token shuts the one before us out. */
  async #claimAll(): Promise<Claim[]> {
    const { shard, feeds, redis, member: owner } = this.#options
    const tags = [...new Set(feeds.map(feed => feed.tag))]
    const claims = await Promise.all(
      tags.map(tag => claimPartition(redis, { tag, work: 'ingest', owner, leaseMs: LEASE_MS, force: true, shard })),
    )
    return claims.filter(claim => claim !== undefined)
  }

  #openLog(claim: Claim): { claim: Claim; feeds: readonly SymbolFeed[]; log: PartitionLog } {
    const { redis, metrics, tracer = NO_TRACES, log, watermark } = this.#options
    const { signal } = this.#stop
    const feeds = this.#options.feeds.filter(feed => feed.tag === claim.tag)
    const onMoved = (feed: SymbolFeed) => (feed.needsSeed ? this.#seed(feed, claim) : this.fill(feed))
    const partition = new PartitionLog({ claim, feeds, redis, metrics, tracer, log, signal, watermark, onMoved })
    this.#logs.set(claim.tag, partition)
    return { claim, feeds, log: partition }
  }

  /** Sees to it that whatever a symbol lacks is under way, and that Redis shows its state. */
  async #tend(claim: Claim, feeds: readonly SymbolFeed[]): Promise<void> {
    const { signal } = this.#stop
    const { auditMs = AUDIT_MS } = this.#options
    while (!signal.aborted) {
      const provenSince = performance.now() - auditMs
      for (const feed of feeds) {
        if (feed.needsSeed) this.#seed(feed, claim)
        else if (feed.heard && !feed.verified) this.#verify(feed)
        else if (feed.heard && feed.provenTime < provenSince) this.#verify(feed, AUDIT_PATIENCE_MS)
        this.fill(feed)
      }
      await this.#writeStates(claim, feeds)
      await delay(TEND_MS, signal)
    }
  }

  /** What Redis does not take now is written at the next turn. */
  async #writeStates(claim: Claim, feeds: readonly SymbolFeed[]): Promise<void> {
    const changed = feeds.filter(feed => feed.writtenState !== feed.state)
    if (changed.length === 0) return
    const states = new Map(changed.map(feed => [feed.symbol, feed.state]))
    try {
      await writeFeedStates(this.#options.redis, claim, states)
      for (const feed of changed) feed.writtenState = states.get(feed.symbol)
    } catch (error) {
      if (error instanceof FencedError) throw error
    }
  }

  #seed(feed: SymbolFeed, claim: Claim): void {
    this.#begin(this.#seeding, feed, async () => {
      await this.#beginning
      await seedSymbol(feed, { ...this.#options, claim, signal: this.#stop.signal })
      this.fill(feed)
      this.wake(feed.tag)
    })
  }

  /** Asks the exchange for its newest trade, so that none is missing unnoticed. */
  #verify(feed: SymbolFeed, patienceMs?: number): void {
    const { connection } = feed
    this.#begin(this.#verifying, feed, async () => {
      const { tradeId } = await this.#options.newestTrades.ask(feed, patienceMs)
      feed.verify(tradeId, connection)
      this.fill(feed)
      this.wake(feed.tag)
    })
  }

  /** Begins `work` unless it is under way for the symbol already, or failed a moment ago. */
  #begin(working: Set<SymbolFeed>, feed: SymbolFeed, work: () => Promise<void>): void {
    if (working.has(feed)) return
    working.add(feed)
    work()
      .catch(async error => {
        if (this.#stop.signal.aborted) return
        if (error instanceof FencedError) this.stop()
        else this.#options.log.error({ symbol: feed.symbol, err: error }, 'work on a symbol failed; trying again')
        await delay(ERROR_PAUSE_MS, this.#stop.signal)
      })
      .finally(() => working.delete(feed))
  }
}
