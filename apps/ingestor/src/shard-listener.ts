import type { FeedEvent } from '@chart/binance'
import type { Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import type { ShardLeader } from './shard-leader.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/**
 * A watermark stays this far behind the exchange's clock: the slowest recorded frame came 220 ms after its trade. What comes later
 * still counts, as a correction.
 */
const WATERMARK_GRACE_MS = 500
/** Watermarks are whole seconds, the shortest interval. */
const WATERMARK_STEP_MS = 1_000
/** A malformed message is logged at most this often; all are counted. */
const MALFORMED_LOG_MS = 10_000
/** A feed that is malformed all the time must not spend the REST budget: doubting 2,000 silent symbols costs 80 of 6,000 weight, and singly much more. */
const DOUBT_EVERY_MS = 20_000

export type OpenFeed = (symbols: readonly string[], signal: AbortSignal) => AsyncIterable<readonly FeedEvent[]>

export interface ListenOptions {
  readonly openFeed: OpenFeed
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
}

/** Listens to the feed of one shard and passes trades on to the leader, when this process is it. */
export class ShardListener {
  readonly feeds: readonly SymbolFeed[]
  readonly #options: ListenOptions
  readonly #bySymbol: Map<string, SymbolFeed>
  #leader: ShardLeader | undefined
  #watermark = 0
  /** By performance.now(): when the exchange said something last, or when we began to listen. */
  #heardTime = performance.now()
  #malformedLogTime = 0
  /** A message could not be read since the symbols were last doubted. */
  #doubtful = false
  #doubtTime = Number.NEGATIVE_INFINITY

  constructor(feeds: readonly SymbolFeed[], options: ListenOptions) {
    this.feeds = feeds
    this.#options = options
    this.#bySymbol = new Map(feeds.map(feed => [feed.symbol, feed]))
  }

  set leader(leader: ShardLeader | undefined) {
    this.#leader = leader
  }

  get isLed(): boolean {
    return this.#leader !== undefined
  }

  get silentMs(): number {
    return performance.now() - this.#heardTime
  }

  watermark = (): number => this.#watermark

  async listen(): Promise<void> {
    const { openFeed, signal } = this.#options
    const symbols = this.feeds.map(feed => feed.symbol)
    for await (const events of openFeed(symbols, signal)) {
      if (events.some(isHeard)) this.#heardTime = performance.now()
      this.#observe(events)
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

  /** One observation of all trades that came at once, by the slowest of them: an observation costs ten times an increment. */
  #observe(events: readonly FeedEvent[]): void {
    let trades = 0
    let oldestTime = Number.POSITIVE_INFINITY
    for (const event of events) {
      if (event.kind !== 'trade') continue
      trades++
      oldestTime = Math.min(oldestTime, event.trade.tradeTime)
    }
    if (trades === 0) return
    const { metrics } = this.#options
    metrics.received.inc(trades)
    metrics.feedSeconds.observe(Math.max(0, Date.now() - oldestTime) / 1_000)
  }

  #take(event: FeedEvent, touched: Set<SymbolFeed>): void {
    const { metrics, log } = this.#options
    switch (event.kind) {
      case 'trade': {
        const feed = this.#bySymbol.get(event.symbol)
        if (feed === undefined) return
        const result = feed.receive(event.trade)
        if (result === 'duplicate') metrics.duplicates.inc()
        if (result === 'refused') metrics.refused.inc()
        if (result === 'absurd') this.#onMalformed(`trade id ${event.trade.tradeId} leaps ahead`, event.symbol)
        else touched.add(feed)
        return
      }
      case 'pulse': {
        const allowed = event.eventTime - WATERMARK_GRACE_MS
        const watermark = allowed - (allowed % WATERMARK_STEP_MS)
        if (watermark === this.#watermark) return
        this.#doubtSometimes()
        this.#watermark = watermark
        this.#leader?.wakeAll()
        return
      }
      case 'connected':
        log.info({ symbols: this.feeds.length }, 'feed connected')
        for (const feed of this.feeds) feed.connect()
        return
      case 'disconnected':
        metrics.disconnects.inc()
        log.warn({ reason: event.reason }, 'feed lost; no watermark until it is back')
        for (const feed of this.feeds) feed.disconnect()
        return
      case 'malformed':
        this.#onMalformed(event.reason, event.sample)
        return
      default:
        event satisfies never
    }
  }

  /** What could not be read may have been a symbol's newest trade: no watermark before the exchange was asked, or the next trade tells. */
  #doubtSometimes(): void {
    const now = performance.now()
    if (!this.#doubtful || now - this.#doubtTime < DOUBT_EVERY_MS) return
    this.#doubtful = false
    this.#doubtTime = now
    for (const feed of this.feeds) feed.doubt()
  }

  #onMalformed(reason: string, sample: string): void {
    const { metrics, log } = this.#options
    metrics.malformed.inc()
    this.#doubtful = true
    this.#doubtSometimes()
    if (Date.now() - this.#malformedLogTime < MALFORMED_LOG_MS) return
    this.#malformedLogTime = Date.now()
    log.warn({ reason, sample }, 'the exchange sent what cannot be used; passed over')
  }
}

/** That a connection came or went is our own news. */
function isHeard({ kind }: FeedEvent): boolean {
  return kind === 'trade' || kind === 'pulse'
}
