import { type BinanceRest, type FeedEvent, openTradeFeed, type SymbolInfo } from '@chart/binance'
import { partitionOf } from '@chart/market'
import { EXTEND_EVERY_MS, openLeaderLock, type RedisConnection, tagOf } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { ShardLeader } from './shard-leader.ts'
import { SymbolFeed } from './symbol-feed.ts'

/**
 * A watermark stays this far behind the exchange's clock: the slowest recorded frame came 220 ms after its trade. What comes later
 * still counts, as a correction.
 */
const WATERMARK_GRACE_MS = 500
/** Watermarks are whole seconds, the shortest interval. */
const WATERMARK_STEP_MS = 1_000
/** How often the exchange is asked whether it trades the symbols; weight 20 of 6,000 a minute. */
const STATUS_MS = 60_000
/** A malformed message is logged at most this often; all are counted. */
const MALFORMED_LOG_MS = 10_000

export interface IngestOptions {
  readonly redisUrl: string
  readonly infos: readonly SymbolInfo[]
  readonly partitions: number
  readonly feedShards: number
  readonly streamUrl: string
  readonly member: string
  readonly redis: RedisConnection
  readonly rest: BinanceRest
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Reads the feeds of all shards, and leads those whose lease it gets. Every ingestor listens to every shard, so that a standby is
 * warm: it holds the newest trades of each symbol and only has to compare them with the log.
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const shards = Array.from({ length: options.feedShards }, (_, shard) => shard)
  const halts: SymbolFeed[] = []
  await Promise.all([
    ...shards.map(async shard => {
      const feeds = options.infos
        .filter(({ symbol }) => partitionOf(symbol, options.partitions) % options.feedShards === shard)
        .map(({ symbol, scales }) => new SymbolFeed(symbol, tagOf(symbol, options.partitions), scales))
      if (feeds.length === 0) return
      halts.push(...feeds)
      const listener = new ShardListener(feeds, options)
      await Promise.all([listener.listen(), keepLeading(shard, listener, options)])
    }),
    watchHalts(halts, options),
  ])
}

/** Listens to the feed of one shard and passes trades on to the leader, when this process is it. */
class ShardListener {
  readonly feeds: readonly SymbolFeed[]
  readonly #options: IngestOptions
  readonly #bySymbol: Map<string, SymbolFeed>
  #leader: ShardLeader | undefined
  #watermark = 0
  #malformedLogTime = 0

  constructor(feeds: readonly SymbolFeed[], options: IngestOptions) {
    this.feeds = feeds
    this.#options = options
    this.#bySymbol = new Map(feeds.map(feed => [feed.symbol, feed]))
  }

  set leader(leader: ShardLeader | undefined) {
    this.#leader = leader
  }

  watermark = (): number => this.#watermark

  async listen(): Promise<void> {
    const { streamUrl, signal, log } = this.#options
    const symbols = this.feeds.map(feed => feed.symbol)
    for await (const events of openTradeFeed({ streamUrl, symbols, signal, log })) {
      const touched = new Set<SymbolFeed>()
      for (const event of events) this.#take(event, touched)
      for (const feed of touched) {
        if (this.#leader === undefined) feed.sequence.keepNewest()
        else {
          this.#leader.fill(feed)
          this.#leader.wake(feed.tag)
        }
      }
    }
  }

  #take(event: FeedEvent, touched: Set<SymbolFeed>): void {
    const { metrics, log } = this.#options
    switch (event.kind) {
      case 'trade': {
        const feed = this.#bySymbol.get(event.symbol)
        if (feed === undefined) return
        metrics.received.inc()
        metrics.feedSeconds.observe(Math.max(0, Date.now() - event.trade.tradeTime) / 1_000)
        const result = feed.receive(event.trade)
        if (result === 'duplicate') metrics.duplicates.inc()
        if (result === 'refused') metrics.refused.inc()
        touched.add(feed)
        return
      }
      case 'pulse': {
        const allowed = event.eventTime - WATERMARK_GRACE_MS
        const watermark = allowed - (allowed % WATERMARK_STEP_MS)
        if (watermark === this.#watermark) return
        this.#watermark = watermark
        this.#leader?.wakeAll()
        return
      }
      case 'connected':
        log.info({ symbols: this.feeds.length }, 'feed connected')
        for (const feed of this.feeds) {
          feed.heard = true
          feed.verified = false
        }
        return
      case 'disconnected':
        metrics.disconnects.inc()
        log.warn({ reason: event.reason }, 'feed lost; no watermark until it is back')
        for (const feed of this.feeds) {
          feed.heard = false
          feed.verified = false
        }
        return
      case 'malformed':
        metrics.malformed.inc()
        if (Date.now() - this.#malformedLogTime < MALFORMED_LOG_MS) return
        this.#malformedLogTime = Date.now()
        log.warn({ reason: event.reason, sample: event.sample }, 'the exchange sent what cannot be used; passed over')
        return
      default:
        event satisfies never
    }
  }
}

/** Holds the shard's lease when it can be had, and leads for as long as it holds. */
async function keepLeading(shard: number, listener: ShardListener, options: IngestOptions): Promise<void> {
  const { redisUrl, metrics, log, signal } = options
  await using lock = openLeaderLock({ url: redisUrl, shard })
  while (!signal.aborted) {
    if (!(await lock.acquire())) {
      await delay(EXTEND_EVERY_MS, signal)
      continue
    }
    log.info({ shard }, 'leading')
    metrics.leading.inc()
    const leader = new ShardLeader({ ...options, feeds: listener.feeds, watermark: listener.watermark })
    listener.leader = leader
    const running = leader.run().then(
      () => log.info({ shard }, 'no longer leading'),
      error => log.warn({ shard, reason: (error as Error).message }, 'no longer leading'),
    )
    let ended = false
    const end = running.then(() => {
      ended = true
    })
    while (!signal.aborted && !ended) {
      await Promise.race([delay(EXTEND_EVERY_MS, signal), end])
      if (!ended && !signal.aborted && !(await lock.extend())) break
    }
    leader.stop()
    await running
    listener.leader = undefined
    metrics.leading.dec()
    await lock.release()
    // Whoever fenced us shall have the lease: a moment's courtesy before we ask for it again.
    if (ended) await delay(EXTEND_EVERY_MS, signal)
  }
}

/** Asks the exchange every minute which symbols it trades: their silence means something else than that of the others. */
async function watchHalts(feeds: readonly SymbolFeed[], { rest, log, signal }: IngestOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      const infos = await rest.exchangeInfo(feeds.map(feed => feed.symbol))
      for (const [index, info] of infos.entries()) {
        const feed = feeds[index]!
        const halted = info.status !== 'TRADING'
        if (halted !== feed.halted) log.warn({ symbol: feed.symbol, status: info.status }, 'trading status changed')
        feed.setHalted(halted)
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'trading status unknown for now')
    }
    await delay(STATUS_MS, signal)
  }
}
