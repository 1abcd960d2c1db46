import { type BinanceRest, retrying } from '@chart/binance'
import type { FeedState } from '@chart/market'
import { type Claim, claimPartition, FencedError, LEASE_MS, type RedisConnection, writeFeedStates } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import { GapFiller } from './gap-filler.ts'
import type { Metrics } from './metrics.ts'
import { PartitionLog } from './partition-log.ts'
import { seedSymbol } from './seed.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** How often feed states are compared with what was written, and symbols that nothing proved are looked up. */
const STATE_MS = 500

export interface ShardLeaderOptions {
  readonly feeds: readonly SymbolFeed[]
  readonly member: string
  readonly redis: RedisConnection
  readonly rest: BinanceRest
  readonly metrics: Metrics
  readonly log: Log
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
  readonly #filler: GapFiller
  readonly #seeding = new Set<SymbolFeed>()
  readonly #verifying = new Set<SymbolFeed>()
  readonly #writtenStates = new Map<string, FeedState>()

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
    if (feed.sequence.storedId !== undefined) this.#filler.fill(feed)
  }

  stop(): void {
    this.#stop.abort()
  }

  /**
   * Leads until stop().
   * @throws FencedError when another has claimed a partition
   */
  async run(): Promise<void> {
    const { feeds, redis, member, metrics, log } = this.#options
    const { signal } = this.#stop
    const tags = [...new Set(feeds.map(feed => feed.tag))]
    try {
      // Claimed by force: the lease says that it is our turn, and the token shuts the one before us out.
      const claims = await Promise.all(
        tags.map(tag => claimPartition(redis, { tag, work: 'ingest', owner: member, leaseMs: LEASE_MS, force: true })),
      )
      const running: Promise<void>[] = []
      for (const claim of claims as Claim[]) {
        const own = feeds.filter(feed => feed.tag === claim.tag)
        const partition = new PartitionLog({
          claim,
          feeds: own,
          redis,
          metrics,
          log,
          signal,
          watermark: this.#options.watermark,
          onUnseeded: feed => this.#seed(feed, claim),
          onMoved: feed => this.fill(feed),
        })
        this.#logs.set(claim.tag, partition)
        running.push(partition.run(), this.#keepStates(claim, own))
      }
      await Promise.all(running)
    } finally {
      this.#stop.abort()
    }
  }

  #seed(feed: SymbolFeed, claim: Claim): void {
    if (this.#seeding.has(feed)) return
    this.#seeding.add(feed)
    const { rest, redis, log } = this.#options
    seedSymbol(feed, { rest, redis, claim, log, signal: this.#stop.signal })
      .then(() => {
        this.fill(feed)
        this.wake(feed.tag)
      })
      .catch(error => this.#onBackgroundError(error, feed))
      .finally(() => this.#seeding.delete(feed))
  }

  async #keepStates(claim: Claim, feeds: readonly SymbolFeed[]): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      for (const feed of feeds) if (feed.heard && !feed.verified) this.#verify(feed)
      const changed = new Map(
        feeds
          .filter(feed => this.#writtenStates.get(feed.symbol) !== feed.state)
          .map(feed => [feed.symbol, feed.state] as const),
      )
      if (changed.size > 0) {
        try {
          await writeFeedStates(this.#options.redis, claim, changed)
          for (const [symbol, state] of changed) this.#writtenStates.set(symbol, state)
        } catch (error) {
          if (error instanceof FencedError) throw error
        }
      }
      await delay(STATE_MS, signal)
    }
  }

  /** No trade since the feed came back: asks the exchange which is its newest, so that none is missing unnoticed. */
  #verify(feed: SymbolFeed): void {
    if (this.#verifying.has(feed) || feed.sequence.storedId === undefined) return
    this.#verifying.add(feed)
    const { rest, log } = this.#options
    retrying(() => rest.latestTradeId(feed.symbol), { signal: this.#stop.signal, log })
      .then(newest => {
        if (!feed.heard) return
        feed.verify(newest)
        this.fill(feed)
        this.wake(feed.tag)
      })
      .catch(error => this.#onBackgroundError(error, feed))
      .finally(() => this.#verifying.delete(feed))
  }

  #onBackgroundError(error: unknown, feed: SymbolFeed): void {
    if (this.#stop.signal.aborted) return
    if (error instanceof FencedError) this.#stop.abort()
    else this.#options.log.error({ symbol: feed.symbol, err: error }, 'work on a symbol failed')
  }
}
