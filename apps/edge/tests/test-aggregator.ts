import { encodeUpdate } from '@chart/grpc'
import {
  type BarText,
  EXCHANGE_SCALES,
  type Interval,
  newSymbolBars,
  type SymbolBars,
  type Trade,
  textOfBar,
} from '@chart/market'
import {
  appendEntry,
  type Claim,
  claimPartition,
  commitBars,
  type PartitionPosition,
  type RedisConnection,
  registerSymbols,
  tagOf,
} from '@chart/redis'
import { foldSteps, liveBarOf, type Step } from './folded-steps.ts'

export const PARTITIONS = 4

/** A Thursday's minute. */
export const MINUTE_START = 1_723_161_240_000

/** Ingestor and aggregator of one partition in the hands of a test: entries and commits when it says so. */
export class TestAggregator {
  readonly tag: string
  /** Every closed bar and every correction ever committed, by `SYMBOL interval`. */
  readonly closed = new Map<string, BarText[]>()
  readonly #redis: RedisConnection
  readonly #intervals: readonly Interval[]
  readonly #ingest: Claim
  readonly #claim: Claim
  readonly #bars = new Map<string, SymbolBars>()
  #at: PartitionPosition = { pos: 0, rev: 0 }

  private constructor(redis: RedisConnection, intervals: readonly Interval[], ingest: Claim, claim: Claim) {
    this.tag = claim.tag
    this.#redis = redis
    this.#intervals = intervals
    this.#ingest = ingest
    this.#claim = claim
  }

  static async open(redis: RedisConnection, symbol: string, intervals: readonly Interval[]): Promise<TestAggregator> {
    const tag = tagOf(symbol, PARTITIONS)
    const claimed = (work: 'ingest' | 'aggregate') =>
      claimPartition(redis, { tag, work, owner: 'test', leaseMs: 600_000, force: true })
    return new TestAggregator(redis, intervals, (await claimed('ingest'))!, (await claimed('aggregate'))!)
  }

  /** Registers a symbol whose first trade will have id 1. */
  async register(symbol: string): Promise<void> {
    const info = { status: 'TRADING', tickSize: '0.01000000', stepSize: '0.00001000', simulated: true }
    await registerSymbols(
      this.#redis,
      [{ symbol, ...info, priceScale: 8, quantityScale: 8, quoteScale: 8 }],
      PARTITIONS,
    )
    const seed = { lastTradeId: 0, sinceTime: MINUTE_START, scales: EXCHANGE_SCALES }
    await this.#append(symbol, { expectedTradeId: undefined, seed, trades: [], watermark: 0 })
    this.#bars.set(symbol, newSymbolBars(symbol, this.#intervals, EXCHANGE_SCALES, 0, MINUTE_START))
  }

  lastTradeId(symbol: string): number {
    return this.#bars.get(symbol)!.lastTradeId
  }

  live(symbol: string, interval: string): BarText {
    const bars = this.#bars.get(symbol)!
    return textOfBar(liveBarOf(bars, interval)!, bars.scales)
  }

  /**
   * Appends and commits: trades in id order without holes, and perhaps a watermark last.
   * @param publish false: nobody is told, as when a message of pub/sub is lost
   */
  async commit(changes: Readonly<Record<string, readonly Step[]>>, publish = true): Promise<void> {
    let n = this.#at.pos
    const folded = []
    for (const [symbol, steps] of Object.entries(changes)) {
      const bars = this.#bars.get(symbol)!
      const trades = steps.filter((step): step is Trade => 'tradeId' in step)
      const watermark = steps.flatMap(step => ('watermark' in step ? [step.watermark] : [])).at(-1) ?? 0
      n = await this.#append(symbol, { expectedTradeId: bars.lastTradeId, trades, watermark })
      const one = foldSteps(bars, steps)
      folded.push(one)
      for (const bar of one.closed) {
        const key = `${bar.symbol} ${bar.interval}`
        this.closed.set(key, [...(this.closed.get(key) ?? []), bar])
      }
    }
    const [entry] = await this.#redis.xrange(`log:${this.tag}`, `${n}-0`, `${n}-0`)
    const symbols = folded.map(({ update }) => update)
    this.#at = await commitBars(this.#redis, this.#claim, {
      at: this.#at,
      newPos: n,
      nonce: entry![1][1]!,
      symbols: folded.map(({ batch }) => batch),
      update: publish ? encodeUpdate({ position: n, previousPosition: this.#at.pos, symbols }) : new Uint8Array(),
    })
  }

  async #append(
    symbol: string,
    block: Pick<Parameters<typeof appendEntry>[2][number], 'expectedTradeId' | 'seed' | 'trades' | 'watermark'>,
  ): Promise<number> {
    const rest = { scales: EXCHANGE_SCALES, holeBefore: false, afterHalt: false, feedState: 'live' } as const
    const answer = await appendEntry(this.#redis, this.#ingest, [{ symbol, ...rest, ...block }])
    if (answer.kind !== 'appended') throw new Error(`the log stands elsewhere: ${[...answer.heads]}`)
    return answer.n
  }
}

/** Trade `tradeId` of a market in which one comes every `everyMs` from MINUTE_START on. */
export function tradeOf(tradeId: number, everyMs = 100): Trade {
  return {
    tradeId,
    tradeTime: MINUTE_START + tradeId * everyMs,
    price: 10_000_000_000n + BigInt((tradeId * 7_919) % 1_000) * 1_000_000n,
    quantity: BigInt((tradeId % 13) + 1) * 1_000n,
    takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
  }
}

/** Trades `first` to `last`. */
export function tradesOf(first: number, last: number, everyMs = 100): Trade[] {
  return Array.from({ length: last - first + 1 }, (_, index) => tradeOf(first + index, everyMs))
}
