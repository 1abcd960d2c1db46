import { EXCHANGE_SCALES, type Trade } from '@chart/market'
import {
  type AppendBlock,
  appendEntry,
  type Claim,
  claimPartition,
  headsKey,
  logKey,
  type RedisConnection,
  readLiveBars,
  registerSymbols,
  tagOf,
} from '@chart/redis'
import { TradeSource } from './made-trades.ts'

/** An hour of trades in the trade log, in entries of a second and symbol each, that can be worked off again and again. */

const SYMBOLS = Array.from({ length: 10 }, (_, index) => `SYM${index}USDT`)
const PARTITIONS = 32
const HOUR_SECONDS = 3_600
/** Trades of one symbol and second, and so of one entry. */
const ENTRY_TRADES = 100
const SECOND_MS = 1_000
const START_TIME = Date.UTC(2025, 0, 3)
/** Appended with one look at the answers, some 10 MB of trades in memory. */
const APPENDED_SECONDS = 50
/** Where the written log is kept, as commits trim the one they fold. */
const spareKey = (key: string) => `spare:${key}`

export class HourLog {
  readonly trades: number
  readonly tags: readonly string[]
  readonly #redis: RedisConnection
  readonly #seconds: number
  /** Keys of a log that nobody has folded. */
  #keys: ReadonlySet<string> = new Set()

  private constructor(redis: RedisConnection, size: number) {
    this.#redis = redis
    this.#seconds = Math.ceil(HOUR_SECONDS * size)
    this.trades = this.#seconds * SYMBOLS.length * ENTRY_TRADES
    this.tags = [...new Set(SYMBOLS.map(symbol => tagOf(symbol, PARTITIONS)))]
  }

  /** @param size of the hour; at 0.1 six minutes */
  static async write(redis: RedisConnection, size: number): Promise<HourLog> {
    const hour = new HourLog(redis, size)
    await hour.#write()
    hour.#keys = new Set(await redis.keys('*'))
    for (const tag of hour.tags) await redis.copy(logKey(tag), spareKey(logKey(tag)))
    return hour
  }

  async #write(): Promise<void> {
    const redis = this.#redis
    const info = { status: 'TRADING', tickSize: '0.01000000', stepSize: '0.00001000', simulated: false }
    const scales = { priceScale: 8, quantityScale: 8, quoteScale: 8 }
    const infos = SYMBOLS.map(symbol => ({ symbol, ...info, ...scales }))
    await registerSymbols(redis, infos, PARTITIONS)
    const claims = new Map<string, Claim>()
    for (const tag of this.tags) {
      const claim = { tag, work: 'ingest', owner: 'bench', leaseMs: 3_600_000, force: true } as const
      claims.set(tag, (await claimPartition(redis, claim))!)
    }
    const claimOf = (symbol: string) => claims.get(tagOf(symbol, PARTITIONS))!
    const seed = { lastTradeId: 0, sinceTime: START_TIME, scales: EXCHANGE_SCALES }
    for (const symbol of SYMBOLS) {
      await this.#append(claimOf(symbol), { ...blockOf(symbol, []), expectedTradeId: undefined, seed })
    }
    const sources = SYMBOLS.map((_, index) => new TradeSource(index, START_TIME, SECOND_MS / ENTRY_TRADES))
    for (let start = 0; start < this.#seconds; start += APPENDED_SECONDS) {
      const appends: Promise<void>[] = []
      for (let second = start; second < Math.min(this.#seconds, start + APPENDED_SECONDS); second++) {
        for (const [index, symbol] of SYMBOLS.entries()) {
          appends.push(this.#append(claimOf(symbol), blockOf(symbol, sources[index]!.take(ENTRY_TRADES))))
        }
      }
      await Promise.all(appends)
    }
  }

  async #append(claim: Claim, block: AppendBlock): Promise<void> {
    const answer = await appendEntry(this.#redis, claim, [block])
    if (answer.kind !== 'appended') throw new Error(`the log of ${block.symbol} stands elsewhere: ${[...answer.heads]}`)
  }

  /** As if no entry had been folded. */
  async rewind(): Promise<void> {
    const redis = this.#redis
    const spares = new Set(this.tags.map(tag => spareKey(logKey(tag))))
    const made = (await redis.keys('*')).filter(key => !this.#keys.has(key) && !spares.has(key))
    if (made.length > 0) await redis.del(...made)
    for (const tag of this.tags) await redis.copy(spareKey(logKey(tag)), logKey(tag), 'REPLACE')
  }

  /** Entries in the logs of all partitions. */
  async entries(): Promise<number> {
    const seqs = await Promise.all(this.tags.map(tag => this.#redis.hget(headsKey(tag), 'seq')))
    return seqs.reduce((sum, seq) => sum + Number(seq), 0)
  }

  /** @throws Error when a symbol's hour does not hold every trade */
  async checkBars(): Promise<void> {
    for (const symbol of SYMBOLS) {
      const [hour] = await readLiveBars(this.#redis, tagOf(symbol, PARTITIONS), symbol, ['1h'])
      const { tradeCount, complete } = hour!.bar
      if (tradeCount !== this.#seconds * ENTRY_TRADES || !complete) {
        throw new Error(`the hour of ${symbol} has ${tradeCount} trades, complete: ${complete}`)
      }
    }
  }
}

/** An entry's part of one symbol, after the trades that it had. Everything before its first trade has been sent. */
function blockOf(symbol: string, trades: readonly Trade[]): AppendBlock {
  const [first] = trades
  return {
    symbol,
    expectedTradeId: (first?.tradeId ?? 1) - 1,
    trades,
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: first?.tradeTime ?? 0,
    feedState: 'live',
  }
}
