import { type AppendBlock, appendEntry, type Claim, type RedisConnection, readHeads } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** Trades in one entry over all its symbols: an entry of this size is some 20 kB. */
const ENTRY_TRADES_MAX = 2_000
/** After an error of Redis. */
const RETRY_MS = 100

export interface PartitionLogOptions {
  readonly claim: Claim
  readonly feeds: readonly SymbolFeed[]
  readonly redis: RedisConnection
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** The newest watermark that the feed's clock allows. */
  watermark(): number
  /** A symbol has no trades in the log: it is to be seeded. */
  onUnseeded(feed: SymbolFeed): void
  /** The log stands elsewhere than we thought: trades may be missing. */
  onMoved(feed: SymbolFeed): void
}

/**
 * Appends what is waiting for one partition, one call in flight: whatever arrives meanwhile rides in the next entry, so an entry
 * is one trade when it is quiet and hundreds in a burst, and nothing waits for a timer.
 */
export class PartitionLog {
  readonly #options: PartitionLogOptions
  #wake = Promise.withResolvers<void>()

  constructor(options: PartitionLogOptions) {
    this.#options = options
  }

  /** There may be something to append. */
  wake(): void {
    this.#wake.resolve()
  }

  /**
   * Appends until the signal aborts.
   * @throws FencedError when another has claimed the partition
   */
  async run(): Promise<void> {
    const { signal } = this.#options
    const stop = () => this.wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted && !(await this.#align())) await delay(RETRY_MS, signal)
      while (!signal.aborted) {
        const blocks = this.#nextBlocks()
        if (blocks.length > 0) await this.#append(blocks)
        else {
          await this.#wake.promise
          this.#wake = Promise.withResolvers()
        }
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #nextBlocks(): AppendBlock[] {
    const watermark = this.#options.watermark()
    const blocks: AppendBlock[] = []
    let trades = 0
    for (const feed of this.#options.feeds) {
      const block = feed.nextBlock(watermark)
      if (block === undefined) continue
      blocks.push(block)
      trades += block.trades.length
      if (trades >= ENTRY_TRADES_MAX) break
    }
    return blocks
  }

  async #append(blocks: readonly AppendBlock[]): Promise<void> {
    const { claim, redis, feeds, metrics, log, signal } = this.#options
    const stop = metrics.appendSeconds.startTimer()
    try {
      const answer = await appendEntry(redis, claim, blocks)
      stop()
      if (answer.kind === 'appended') {
        metrics.entries.inc({ result: 'ok' })
        for (const block of blocks) {
          metrics.appended.inc(block.trades.length)
          feeds.find(feed => feed.symbol === block.symbol)?.markStored(block)
        }
        return
      }
      metrics.entries.inc({ result: 'mismatch' })
      for (const [symbol, head] of answer.heads) this.#place(symbol, head)
    } catch (error) {
      if ((error as Error).name === 'FencedError') throw error
      metrics.entries.inc({ result: 'error' })
      log.warn({ tag: claim.tag, reason: (error as Error).message }, 'append failed; asking the log where it stands')
      do await delay(RETRY_MS, signal)
      while (!signal.aborted && !(await this.#align()))
    }
  }

  /** Asks the log where every symbol stands. False when Redis does not answer. */
  async #align(): Promise<boolean> {
    const { redis, claim, feeds } = this.#options
    try {
      const heads = await readHeads(
        redis,
        claim.tag,
        feeds.map(feed => feed.symbol),
      )
      for (const [symbol, head] of heads) this.#place(symbol, head)
      return true
    } catch {
      return false
    }
  }

  #place(symbol: string, head: number | undefined): void {
    const feed = this.#options.feeds.find(one => one.symbol === symbol)
    if (feed === undefined) return
    if (head === undefined) this.#options.onUnseeded(feed)
    else {
      feed.alignTo(head)
      this.#options.onMoved(feed)
    }
  }
}
