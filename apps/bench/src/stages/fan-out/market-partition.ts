import { setTimeout as sleep } from 'node:timers/promises'
import { foldEntries } from '@chart/aggregator/fold'
import { EXCHANGE_SCALES, type Interval, type SymbolBars, type Trade } from '@chart/market'
import {
  type AppendBlock,
  appendEntry,
  type BlockingRedis,
  type Claim,
  claimPartition,
  commitBars,
  openBlockingRedis,
  type PartitionPosition,
  type RedisConnection,
  readEntries,
} from '@chart/redis'

const MINUTE_MS = 60_000
/** Trades of one symbol in one batch; what is due beyond it, the market did not keep up with. */
const BATCH_TRADES_MAX = 500
/** A partition without a due trade looks again after this long. */
const IDLE_MS = 1
/** What is read was appended before. */
const READ_BLOCK_MS = 1
const LEASE_MS = 3_600_000
const PRICES = 1_000

export interface PartitionOptions {
  readonly redis: RedisConnection
  readonly redisUrl: string
  readonly tag: string
  readonly symbols: readonly string[]
  readonly interval: Interval
}

/** What is written of one partition, one batch at a time: the ingestor's append, then what the aggregator makes of it. */
export class MarketPartition {
  /** Trades so far. */
  made = 0
  readonly #options: PartitionOptions
  readonly #reader: BlockingRedis
  readonly #ingest: Claim
  readonly #aggregate: Claim
  readonly #bars = new Map<string, SymbolBars>()
  #at: PartitionPosition = { pos: 0, rev: 0 }
  #tradesPerSecond = 0
  #startTime = 0
  #startMade = 0
  #running: Promise<void> | undefined

  private constructor(options: PartitionOptions, reader: BlockingRedis, ingest: Claim, aggregate: Claim) {
    this.#options = options
    this.#reader = reader
    this.#ingest = ingest
    this.#aggregate = aggregate
  }

  /** A log that begins before trade 1, and one trade of each symbol: so there are live bars. */
  static async open(options: PartitionOptions): Promise<MarketPartition> {
    const { redis, redisUrl, tag, symbols } = options
    const claim = async (work: 'ingest' | 'aggregate') =>
      (await claimPartition(redis, { tag, work, owner: 'bench', leaseMs: LEASE_MS, force: true }))!
    const reader = await openBlockingRedis(redisUrl, tag, READ_BLOCK_MS)
    const partition = new MarketPartition(options, reader, await claim('ingest'), await claim('aggregate'))
    const sinceTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
    const seed = { lastTradeId: 0, sinceTime, scales: EXCHANGE_SCALES }
    await partition.#append(symbols.map(symbol => blockOf(symbol, undefined, [], seed)))
    await partition.#write(symbols.length)
    return partition
  }

  get size(): number {
    return this.#options.symbols.length
  }

  /** At this rate from now on, whatever is still due at the one before. */
  trade(tradesPerSecond: number): void {
    this.#tradesPerSecond = tradesPerSecond
    this.#startTime = performance.now()
    this.#startMade = this.made
    this.#running ??= this.#run()
  }

  /** No more trades; resolves when the last one is published. */
  async stop(): Promise<void> {
    this.#tradesPerSecond = 0
    await this.#running
    this.#running = undefined
  }

  async #run(): Promise<void> {
    while (this.#tradesPerSecond > 0) {
      const seconds = (performance.now() - this.#startTime) / 1_000
      const due = Math.floor(seconds * this.#tradesPerSecond) - (this.made - this.#startMade)
      if (due > 0) await this.#write(Math.min(due, BATCH_TRADES_MAX * this.size))
      else await sleep(IDLE_MS)
    }
  }

  /** The next `count` trades, the symbols in turn. */
  async #write(count: number): Promise<void> {
    const tradeTime = Date.now()
    const batches = [...this.#bars.values()].map(bars => ({ bars, trades: [] as Trade[] }))
    for (let index = 0; index < count; index++) {
      const { bars, trades } = batches[(this.made + index) % batches.length]!
      trades.push(tradeOf(bars.lastTradeId + 1 + trades.length, tradeTime))
    }
    this.made += count
    const traded = batches.filter(({ trades }) => trades.length > 0)
    await this.#append(traded.map(({ bars, trades }) => blockOf(bars.symbol, bars.lastTradeId, trades)))
  }

  async #append(blocks: readonly AppendBlock[]): Promise<void> {
    const { redis, tag, interval } = this.#options
    const answer = await appendEntry(redis, this.#ingest, blocks)
    if (answer.kind !== 'appended') throw new Error(`the log stands elsewhere: ${[...answer.heads]}`)
    const entries = await readEntries(this.#reader, tag, this.#at.pos, 1, READ_BLOCK_MS)
    const intervals = { intervals: [interval], persistedIntervals: new Set([interval.name]) }
    const { batch } = foldEntries(this.#bars, this.#at, entries, intervals)
    this.#at = await commitBars(redis, this.#aggregate, batch)
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
