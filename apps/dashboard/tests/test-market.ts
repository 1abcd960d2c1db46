import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBar, encodeUpdate } from '@chart/grpc'
import {
  applyTrade,
  type BarText,
  EXCHANGE_SCALES,
  intervalsOf,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type SymbolBars,
  type Trade,
  textOfBar,
} from '@chart/market'
import {
  appendEntry,
  type BarBatch,
  type Claim,
  CommitConflictError,
  claimPartition,
  commitBars,
  headsKey,
  type PartitionPosition,
  type RedisConnection,
  registerSymbols,
  tagOf,
  writeFeedStates,
} from '@chart/redis'

/** So many that no two markets of a test share one: each commits by itself. */
const PARTITIONS = 10_000

/** A Thursday's minute. */
export const MINUTE_START = 1_723_161_240_000

/** Ingestor and aggregator of one symbol in the hands of a test: trades are appended and committed when it says so. */
export class TestMarket {
  readonly symbol: string
  readonly tag: string
  /** The newest version of every bar that closed, by interval and openTime. */
  readonly closed = new Map<string, Map<number, BarText>>()
  readonly #redis: RedisConnection
  readonly #bars: SymbolBars
  readonly #ingest: Claim
  readonly #aggregate: Claim
  #at: PartitionPosition = { pos: 0, rev: 0 }

  private constructor(redis: RedisConnection, symbol: string, bars: SymbolBars, claims: readonly [Claim, Claim]) {
    this.symbol = symbol
    this.tag = claims[0].tag
    this.#redis = redis
    this.#bars = bars
    this.#ingest = claims[0]
    this.#aggregate = claims[1]
  }

  /** A market of its own partition, whose first trade will have id 1. */
  static async open(
    redis: RedisConnection,
    symbol: string,
    { tickSize = '0.01000000', simulated = true, intervals = ['1m', '5m'] } = {},
  ): Promise<TestMarket> {
    const info = { status: 'TRADING', tickSize, stepSize: '0.00001000', simulated }
    await registerSymbols(redis, [{ symbol, ...info, priceScale: 8, quantityScale: 8, quoteScale: 8 }], PARTITIONS)
    const tag = tagOf(symbol, PARTITIONS)
    const claimed = async (work: 'ingest' | 'aggregate') => {
      const claim = await claimPartition(redis, { tag, work, owner: symbol, leaseMs: 600_000, force: false })
      if (claim === undefined) throw new Error(`${symbol} shares its partition with another market; name it otherwise`)
      return claim
    }
    const bars = newSymbolBars(symbol, intervalsOf(intervals), EXCHANGE_SCALES, 0, MINUTE_START)
    const market = new TestMarket(redis, symbol, bars, [await claimed('ingest'), await claimed('aggregate')])
    await market.#append([], { lastTradeId: 0, sinceTime: MINUTE_START, scales: EXCHANGE_SCALES })
    return market
  }

  get lastTradeId(): number {
    return this.#bars.lastTradeId
  }

  /** The live bar; undefined before the first trade. */
  live(interval: string): BarText | undefined {
    const index = this.#bars.series.findIndex(series => series.interval.name === interval)
    const bar = liveBarsOf(this.#bars)[index]
    return bar && textOfBar(bar, this.#bars.scales)
  }

  /**
   * Every bar of an interval that there is now, in order of time: the newest versions of the closed ones, and the live one.
   * @param count the newest closed ones
   */
  all(interval: string, count = Number.POSITIVE_INFINITY): BarText[] {
    const closed = [...(this.closed.get(interval)?.values() ?? [])].sort((a, b) => a.openTime - b.openTime)
    const live = this.live(interval)
    return [...closed.slice(-count), ...(live === undefined ? [] : [live])]
  }

  /**
   * Trades at these times, whose ids follow on; one of an earlier bar than the live one corrects that.
   * @param publish false: nobody is told, as when a message of pub/sub is lost
   */
  async trade(times: readonly number[], options: { publish?: boolean } = {}): Promise<void> {
    const commit = await this.feed(times)
    await commit(options)
  }

  /** Trades at these times, in the log alone as long as no aggregator commits them, which the answer does. */
  async feed(times: readonly number[]): Promise<(options?: { publish?: boolean }) => Promise<void>> {
    const trades = times.map((time, index) => tradeOf(this.lastTradeId + 1 + index, time))
    const previousPosition = this.#at.pos
    const n = await this.#append(trades)
    return ({ publish = true } = {}) => this.#commit(trades, n, previousPosition, publish)
  }

  async #commit(trades: readonly Trade[], n: number, previousPosition: number, publish: boolean): Promise<void> {
    const changes = newChanges()
    for (const trade of trades) applyTrade(this.#bars, trade, changes)
    const closed = changes.closed.map(bar => textOfBar(bar, this.#bars.scales))
    for (const bar of closed) {
      const series = this.closed.get(bar.interval) ?? new Map()
      this.closed.set(bar.interval, series.set(bar.openTime, bar))
    }
    const live = this.#bars.series.flatMap(({ interval }) => this.live(interval.name) ?? [])
    const [entry] = await this.#redis.xrange(`log:${this.tag}`, `${n}-0`, `${n}-0`)
    const commit: BarBatch = {
      at: this.#at,
      newPos: n,
      nonce: entry![1][1]!,
      symbols: [
        {
          bars: this.#bars,
          closedIntervals: new Set(closed.map(({ interval }) => interval)),
          live,
          stored: closed.filter(bar => bar.interval !== '1s'),
        },
      ],
      update: publish ? this.#update(n, previousPosition, live, closed) : new Uint8Array(),
    }
    this.#at = await untilAnswered(() => commitBars(this.#redis, this.#aggregate, commit))
  }

  #update(position: number, previousPosition: number, live: readonly BarText[], closed: readonly BarText[]) {
    const { symbol, lastTradeId, reachedTime } = this.#bars
    return encodeUpdate({
      position,
      previousPosition,
      symbols: [
        {
          symbol,
          throughTradeId: lastTradeId,
          throughTime: reachedTime,
          live: live.map(intervalBarOf),
          closed: closed.map(intervalBarOf),
          trades: [],
        },
      ],
    })
  }

  /** Says how the feed is, as its ingestor does. */
  async setFeed(state: 'live' | 'backfilling' | 'stale' | 'halted'): Promise<void> {
    await writeFeedStates(this.#redis, this.#ingest, new Map([[this.symbol, state]]))
  }

  /** What an ingestor's entries say at least once a second, also without trades: that it runs. */
  async hearFeed(): Promise<void> {
    await this.#redis.hset(`feed:${this.tag}:${this.symbol}`, { writtenTime: Date.now() })
  }

  async #append(trades: readonly Trade[], seed?: Parameters<typeof appendEntry>[2][number]['seed']): Promise<number> {
    const block = {
      symbol: this.symbol,
      scales: EXCHANGE_SCALES,
      holeBefore: false,
      afterHalt: false,
      feedState: 'live',
      watermark: 0,
      expectedTradeId: seed === undefined ? this.lastTradeId : undefined,
      ...(seed !== undefined && { seed }),
      trades,
    } as const
    const answer = await untilAnswered(() => appendEntry(this.#redis, this.#ingest, [block]))
    if (answer.kind === 'appended') return answer.n
    // It was done before, and the answer got lost.
    const last = trades.at(-1)?.tradeId ?? seed?.lastTradeId
    if (answer.heads.get(this.symbol) !== last) throw new Error(`the log stands elsewhere: ${[...answer.heads]}`)
    return Number(await this.#redis.hget(headsKey(this.tag), 'seq'))
  }
}

/** Again until Redis answers: it may be paused by the test, or the machine be busy. Neither script does anything twice. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === 30 || error instanceof CommitConflictError) throw error
      await sleep(100)
    }
  }
}

function tradeOf(tradeId: number, tradeTime: number): Trade {
  return {
    tradeId,
    tradeTime,
    price: 10_000_000_000n + BigInt((tradeId * 7_919) % 1_000) * 1_000_000n,
    quantity: BigInt((tradeId % 13) + 1) * 1_000n,
    takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
  }
}

function intervalBarOf(bar: BarText) {
  return { interval: bar.interval, openTime: bar.openTime, corrected: bar.revision > 0, bar: encodeBar(bar) }
}
