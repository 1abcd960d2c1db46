/** A process of the benchmark: ingestor and aggregator of a market at an even pace, with their own scripts and their own messages. */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeUpdate } from '@chart/grpc'
import { EXCHANGE_SCALES, type Interval, intervalOf, newSymbolBars, type SymbolBars, type Trade } from '@chart/market'
import {
  type AppendBlock,
  appendEntry,
  type Claim,
  claimPartition,
  commitBars,
  openRedis,
  type PartitionPosition,
  type RedisConnection,
  registerSymbols,
  tagOf,
} from '@chart/redis'
import { foldSteps } from '../../../../edge/tests/folded-steps.ts'
import { answerParent } from '../../harness/bench-process.ts'

const PARTITIONS = 8
const MINUTE_MS = 60_000
/** Trades of one symbol in one batch; what is due beyond it, the market did not keep up with. */
const BATCH_TRADES_MAX = 500
/** A partition without a due trade looks again after this long. */
const IDLE_MS = 1
const PRICES = 1_000

export interface Market {
  readonly redisUrl: string
  readonly symbols: readonly string[]
  readonly interval: string
}

let redis: RedisConnection
let partitions: Partition[] = []

answerParent({
  /** Makes the symbols known, with logs that begin before trade 1. Gives the partitions. */
  async register({ redisUrl, symbols, interval }: Market): Promise<string[]> {
    redis = await openRedis(redisUrl, 'market')
    const info = { status: 'TRADING', tickSize: '0.01000000', stepSize: '0.00001000', simulated: false }
    const scales = { priceScale: 8, quantityScale: 8, quoteScale: 8 }
    await registerSymbols(
      redis,
      symbols.map(symbol => ({ symbol, ...info, ...scales })),
      PARTITIONS,
    )
    const byTag = Map.groupBy(symbols, symbol => tagOf(symbol, PARTITIONS))
    partitions = await Promise.all([...byTag].map(([tag, own]) => Partition.open(tag, own, intervalOf(interval))))
    return [...byTag.keys()]
  },
  /** Trades at this rate from now on, over all symbols together. */
  trade({ tradesPerSecond }: { tradesPerSecond: number }): void {
    const symbols = partitions.reduce((sum, { size }) => sum + size, 0)
    for (const partition of partitions) partition.trade((tradesPerSecond * partition.size) / symbols)
  },
  /** Trades so far. */
  made: () => partitions.reduce((sum, { made }) => sum + made, 0),
})

/** What is written of one partition, one batch at a time. */
class Partition {
  made = 0
  readonly #ingest: Claim
  readonly #aggregate: Claim
  readonly #bars: readonly SymbolBars[]
  #at: PartitionPosition = { pos: 0, rev: 0 }
  #tradesPerSecond = 0
  #startTime = 0
  #startMade = 0

  private constructor(ingest: Claim, aggregate: Claim, bars: readonly SymbolBars[]) {
    this.#ingest = ingest
    this.#aggregate = aggregate
    this.#bars = bars
  }

  static async open(tag: string, symbols: readonly string[], interval: Interval): Promise<Partition> {
    const claim = async (work: 'ingest' | 'aggregate') =>
      (await claimPartition(redis, { tag, work, owner: 'bench', leaseMs: 3_600_000, force: true }))!
    const sinceTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
    const bars = symbols.map(symbol => newSymbolBars(symbol, [interval], EXCHANGE_SCALES, 0, sinceTime))
    const partition = new Partition(await claim('ingest'), await claim('aggregate'), bars)
    const seed = { lastTradeId: 0, sinceTime, scales: EXCHANGE_SCALES }
    await partition.#append(symbols.map(symbol => blockOf(symbol, undefined, [], seed)))
    return partition
  }

  get size(): number {
    return this.#bars.length
  }

  /** At this rate from now on, whatever is still due at the one before. */
  trade(tradesPerSecond: number): void {
    const isRunning = this.#tradesPerSecond > 0
    this.#tradesPerSecond = tradesPerSecond
    this.#startTime = performance.now()
    this.#startMade = this.made
    if (!isRunning) void this.#run()
  }

  async #run(): Promise<never> {
    for (;;) {
      const seconds = (performance.now() - this.#startTime) / 1_000
      const due = Math.floor(seconds * this.#tradesPerSecond) - (this.made - this.#startMade)
      if (due > 0) await this.#write(Math.min(due, BATCH_TRADES_MAX * this.size))
      else await sleep(IDLE_MS)
    }
  }

  async #write(count: number): Promise<void> {
    const tradeTime = Date.now()
    const batches = this.#bars.map(bars => ({ bars, trades: [] as Trade[] }))
    for (let index = 0; index < count; index++) {
      const { bars, trades } = batches[(this.made + index) % batches.length]!
      trades.push(tradeOf(bars.lastTradeId + 1 + trades.length, tradeTime))
    }
    this.made += count
    const traded = batches.filter(({ trades }) => trades.length > 0)
    const newPos = await this.#append(traded.map(({ bars, trades }) => blockOf(bars.symbol, bars.lastTradeId, trades)))
    const folded = traded.map(({ bars, trades }) => foldSteps(bars, trades))
    const { tag } = this.#aggregate
    const [entry] = await redis.xrange(`log:${tag}`, `${newPos}-0`, `${newPos}-0`)
    this.#at = await commitBars(redis, this.#aggregate, {
      at: this.#at,
      newPos,
      nonce: entry![1][1]!,
      symbols: folded.map(({ batch }) => batch),
      update: encodeUpdate({
        position: newPos,
        previousPosition: this.#at.pos,
        symbols: folded.map(({ update }) => update),
      }),
    })
  }

  async #append(blocks: readonly AppendBlock[]): Promise<number> {
    const answer = await appendEntry(redis, this.#ingest, blocks)
    if (answer.kind !== 'appended') throw new Error(`the log stands elsewhere: ${[...answer.heads]}`)
    return answer.n
  }
}

function blockOf(
  symbol: string,
  expectedTradeId: number | undefined,
  trades: readonly Trade[],
  seed?: AppendBlock['seed'],
): AppendBlock {
  const rest = {
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    feedState: 'live',
    watermark: 0,
  } as const
  return { symbol, expectedTradeId, trades, ...rest, ...(seed && { seed }) }
}

function tradeOf(tradeId: number, tradeTime: number): Trade {
  return {
    tradeId,
    tradeTime,
    price: 10_000_000_000n + BigInt((tradeId * 7_919) % PRICES) * 1_000_000n,
    quantity: BigInt((tradeId % 13) + 1) * 1_000n,
    takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
  }
}
