import { setTimeout as sleep } from 'node:timers/promises'
import type { Interval, Trade } from '@chart/market'
import { type Postgres, upsertBars } from '@chart/postgres'
import { ackPending, barOfPendingValue, type RedisConnection, scanPending } from '@chart/redis'
import { MINUTE_START, TestAggregator, tradeOf } from './test-aggregator.ts'

/** Numbers from 0 up to and without 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Trades in one commit. */
const TRADES_MAX = 8
/** Market time from one trade to the next, so that every interval closes now and then. */
const STEP_MS_MAX = 4_000
/** How late a late trade is at most: longer than a minute. */
const LATE_MS_MAX = 100_000
const LATE_SHARE = 0.08
const SILENT_SHARE = 0.1
/** Share of commits after which the persister has stored the outbox. */
const STORED_SHARE = 0.15
/** From one commit to the next. */
const PAUSE_MS_MAX = 25

/** A symbol whose trades a seed draws: some late, some followed by silence. */
export class RandomMarket {
  readonly symbol: string
  readonly aggregator: TestAggregator
  readonly #redis: RedisConnection
  readonly #postgres: Postgres
  readonly #random: () => number
  #time = MINUTE_START
  #lastTradeId = 0

  private constructor(
    symbol: string,
    aggregator: TestAggregator,
    { redis, postgres, random }: { redis: RedisConnection; postgres: Postgres; random: () => number },
  ) {
    this.symbol = symbol
    this.aggregator = aggregator
    this.#redis = redis
    this.#postgres = postgres
    this.#random = random
  }

  static async open(
    symbol: string,
    options: { redis: RedisConnection; postgres: Postgres; intervals: readonly Interval[]; random: () => number },
  ): Promise<RandomMarket> {
    const aggregator = await TestAggregator.open(options.redis, symbol, options.intervals)
    const { tag } = aggregator
    await options.redis.del(`log:${tag}`, `heads:${tag}`, `position:${tag}`, `pending:${tag}`)
    await aggregator.register(symbol)
    return new RandomMarket(symbol, aggregator, options)
  }

  /** Exchange time of the newest trade. */
  get time(): number {
    return this.#time
  }

  /** Commits again and again, `commits` times. */
  async run(commits: number): Promise<void> {
    for (let n = 0; n < commits; n++) {
      await this.#commit()
      if (this.#random() < STORED_SHARE) await this.#store()
      await sleep(this.#random() * PAUSE_MS_MAX)
    }
  }

  /** Closes every bar that is live. */
  async closeAll(intervalMs: number): Promise<void> {
    this.#time = (Math.floor(this.#time / intervalMs) + 1) * intervalMs
    await this.aggregator.commit({ [this.symbol]: [this.#trade(this.#time)] })
  }

  async #commit(): Promise<void> {
    const steps: Parameters<TestAggregator['commit']>[0][string][number][] = []
    const count = 1 + Math.floor(this.#random() * TRADES_MAX)
    for (let n = 0; n < count; n++) {
      this.#time += 1 + Math.floor(this.#random() * STEP_MS_MAX)
      const isLate = this.#random() < LATE_SHARE
      const lateMs = isLate ? Math.floor(this.#random() * LATE_MS_MAX) : 0
      steps.push(this.#trade(Math.max(MINUTE_START, this.#time - lateMs)))
    }
    if (this.#random() < SILENT_SHARE) {
      this.#time += Math.floor(this.#random() * 10 * STEP_MS_MAX)
      steps.push({ watermark: this.#time })
    }
    await this.aggregator.commit({ [this.symbol]: steps })
  }

  #trade(tradeTime: number): Trade {
    return { ...tradeOf(++this.#lastTradeId), tradeTime }
  }

  async #store(): Promise<void> {
    for await (const entries of scanPending(this.#redis, this.aggregator.tag, 100)) {
      await upsertBars(
        this.#postgres,
        entries.map(([, value]) => barOfPendingValue(value)),
      )
      await ackPending(this.#redis, this.aggregator.tag, entries)
    }
  }
}
