import { type AppendBlock, appendEntry, type Claim, FencedError, type RedisCommands, readHeads } from '@chart/redis'
import { delay, type Log, type SpanAttributes, type Tracer } from '@chart/service'
import type { Metrics } from './metrics.ts'
import type { SymbolFeed } from './symbol-feed.ts'
import { Wake } from './wake.ts'

/** Trades in one entry over all its symbols: an entry of this size is some 20 kB. */
const ENTRY_TRADES_MAX = 2_000
/** Symbols that a span names; an entry may have some hundred. */
const TRACED_SYMBOLS_MAX = 10
/** After an error of Redis. */
const RETRY_MS = 100

export interface PartitionLogOptions {
  readonly claim: Claim
  readonly feeds: readonly SymbolFeed[]
  readonly redis: RedisCommands
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly log: Log
  readonly signal: AbortSignal
  /** The newest watermark that the feed's clock allows. */
  watermark(): number
  /** The log stands elsewhere than we thought: trades may be missing, or all of them, when it is not seeded. */
  onMoved(feed: SymbolFeed): void
}

/**
 * Appends what is waiting for one partition, one call in flight: whatever arrives meanwhile rides in the next entry, so an entry
 * is one trade when it is quiet and hundreds in a burst, and nothing waits for a timer.
 */
export class PartitionLog {
  readonly #options: PartitionLogOptions
  readonly #bySymbol: ReadonlyMap<string, SymbolFeed>
  readonly #wake = new Wake()
  readonly #known = Promise.withResolvers<void>()
  /** An entry begins with the symbol after the last of the one before, so that under a backlog each has its turn. */
  #nextFeed = 0
  /** Why the last append failed; the same trouble is logged once. */
  #trouble: string | undefined

  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.#bySymbol = new Map(options.feeds.map(feed => [feed.symbol, feed]))
  }

  /** Resolves when it is known for the first time where the log stands, which has been told of every symbol then; or run has ended. */
  get known(): Promise<void> {
    return this.#known.promise
  }

  /** There may be something to append. */
  wake(): void {
    this.#wake.notice()
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
      this.#known.resolve()
      while (!signal.aborted) {
        const blocks = this.#nextBlocks()
        if (blocks.length > 0) await this.#append(blocks)
        else await this.#wake.noticed()
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.#known.resolve()
    }
  }

  #nextBlocks(): AppendBlock[] {
    const watermark = this.#options.watermark()
    const blocks: AppendBlock[] = []
    let trades = 0
    const { feeds } = this.#options
    for (let count = 0; count < feeds.length && trades < ENTRY_TRADES_MAX; count++) {
      const block = feeds[this.#nextFeed]!.nextBlock(watermark)
      this.#nextFeed = (this.#nextFeed + 1) % feeds.length
      if (block === undefined) continue
      blocks.push(block)
      trades += block.trades.length
    }
    return blocks
  }

  async #append(blocks: readonly AppendBlock[]): Promise<void> {
    const { claim, redis, metrics, tracer, log, signal } = this.#options
    const stop = metrics.appendSeconds.startTimer()
    const span = tracer.begin('append')
    try {
      const answer = await appendEntry(redis, claim, blocks, span?.traceparent)
      stop()
      span?.end(attributesOf(claim, blocks), answer.kind === 'mismatch' ? 'the log stands elsewhere' : undefined)
      this.#trouble = undefined
      if (answer.kind === 'appended') {
        metrics.entries.inc({ result: 'ok' })
        for (const block of blocks) {
          metrics.appended.inc(block.trades.length)
          this.#bySymbol.get(block.symbol)!.markStored(block)
        }
        return
      }
      metrics.entries.inc({ result: 'mismatch' })
      this.#placeAll(answer.heads)
    } catch (error) {
      span?.end(attributesOf(claim, blocks), error)
      metrics.entries.inc({ result: error instanceof FencedError ? 'fenced' : 'error' })
      if (error instanceof FencedError) throw error
      const reason = (error as Error).message
      if (reason !== this.#trouble) {
        log.warn({ tag: claim.tag, reason }, 'append failed; asking the log where it stands until it goes on')
      }
      this.#trouble = reason
      do await delay(RETRY_MS, signal)
      while (!signal.aborted && !(await this.#align()))
    }
  }

  /** Asks the log where every symbol stands. False when Redis does not answer. */
  async #align(): Promise<boolean> {
    const { redis, claim } = this.#options
    try {
      this.#placeAll(await readHeads(redis, claim.tag, [...this.#bySymbol.keys()]))
      return true
    } catch {
      return false
    }
  }

  #placeAll(heads: ReadonlyMap<string, number | undefined>): void {
    for (const [symbol, head] of heads) {
      const feed = this.#bySymbol.get(symbol)
      if (feed === undefined) continue
      if (head === undefined) feed.markUnseeded()
      else feed.alignTo(head)
      this.#options.onMoved(feed)
    }
  }
}

function attributesOf({ tag }: Claim, blocks: readonly AppendBlock[]): SpanAttributes {
  return {
    'chart.partition': tag,
    'chart.symbols': blocks
      .slice(0, TRACED_SYMBOLS_MAX)
      .map(({ symbol }) => symbol)
      .join(),
    'chart.trades': blocks.reduce((sum, { trades }) => sum + trades.length, 0),
  }
}
