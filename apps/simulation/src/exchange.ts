import { type ExchangeRest, RestError, type SymbolInfo, type TradeStatistic } from '@chart/binance'
import { EXCHANGE_SCALES } from '@chart/market'
import type { SymbolMarket } from './market.ts'
import type { Random } from './random.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How often the exchange's REST fails, and how far it may lag behind the feed. */
export interface RestFaults {
  error: number
  /** Chance that an answer knows nothing of the last second. */
  lagging: number
  /** Chance that an answer leaves out trades that exist, as a server does that has not caught up. */
  hole: number
  /** No answer at all. */
  down: boolean
}

const LATENCY = { shortest: 4, mean: 15, longest: 400 }
const LAG_MS = { min: 0, max: 60 }
const LONG_LAG_MS = { min: 200, max: 900 }
const STATISTIC_AGE_MAX_MS = 1_000
const STATUSES = [0, 503, 429, 418, 504]

/** The exchange: what it has traded by now, and its REST. Its clock is the true time. */
export class Exchange {
  readonly markets: readonly SymbolMarket[]
  readonly faults: RestFaults = { error: 0, lagging: 0, hole: 0, down: false }
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #tally: Tally
  readonly #bySymbol: ReadonlyMap<string, SymbolMarket>
  /** Asked for a while ago with an answer that lied: the next one must not lie alike. */
  readonly #lied = new Set<string>()

  constructor(markets: readonly SymbolMarket[], time: VirtualTime, random: Random, tally: Tally) {
    this.markets = markets
    this.#time = time
    this.#random = random
    this.#tally = tally
    this.#bySymbol = new Map(markets.map(market => [market.symbol, market]))
  }

  get infos(): SymbolInfo[] {
    return this.markets.map(({ symbol }) => infoOf(symbol))
  }

  /** REST as `owner` has it. */
  restFor(owner: SimulatedProcess): ExchangeRest {
    const ask = <T>(answer: (visibleUntil: number) => T) => this.#ask(owner, answer)
    return {
      serverTime: () => ask(() => Math.floor(this.#time.now)),
      exchangeInfo: symbols => ask(() => symbols.map(infoOf)),
      latestTradeId: symbol => ask(until => this.#published(symbol, until).at(-1)?.trade.tradeId),
      firstTradeIdSince: (symbol, since) =>
        ask(until => this.#published(symbol, until).find(({ trade }) => trade.tradeTime >= since)?.trade.tradeId),
      tradeRows: (symbol, fromId, limit) => ask(until => this.#rows(symbol, fromId, limit ?? 1_000, until)),
      tradeStatistics: symbols => ask(until => this.#statistics(symbols, until)),
      klines: async () => [],
    }
  }

  #ask<T>(owner: SimulatedProcess, answer: (visibleUntil: number) => T): Promise<T> {
    const random = this.#random
    const delayMs = random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest)
    const fails = this.faults.down || random.chance(this.faults.error)
    const lag = random.chance(this.faults.lagging) ? LONG_LAG_MS : LAG_MS
    return new Promise((resolve, reject) => {
      const reply = () => {
        if (!fails) return resolve(answer(this.#time.now - random.integer(lag.min, lag.max)))
        this.#tally.add('REST errors')
        const status = random.pick(STATUSES)
        reject(new RestError(`simulated ${status}`, { status }))
      }
      this.#time.after(delayMs, reply, owner)
    })
  }

  /** As of a moment of each symbol's own within the last second, as an exchange has it that makes them once a second. */
  #statistics(symbols: readonly string[], until: number): Map<string, TradeStatistic> {
    const statistics = new Map<string, TradeStatistic>()
    for (const symbol of symbols) {
      const closeTime = Math.floor(until - this.#random.integer(0, STATISTIC_AGE_MAX_MS))
      const trades = this.#published(symbol, closeTime)
      const lastTradeId = trades.at(-1)?.trade.tradeId
      if (lastTradeId === undefined) continue
      statistics.set(symbol, { symbol, lastTradeId, tradeCount: trades.length, closeTime })
    }
    return statistics
  }

  #rows(symbol: string, fromId: number, limit: number, until: number) {
    const published = this.#published(symbol, until)
    const rest = published.filter(({ trade }) => trade.tradeId >= fromId)
    const page = rest.slice(this.#hiddenRows(symbol, fromId, rest.length), limit).map(({ trade }) => trade)
    return { trades: page, rowCount: page.length, lastRowId: page.at(-1)?.tradeId }
  }

  /** How many rows an answer leaves out at its beginning; never twice in a row for the same question. */
  #hiddenRows(symbol: string, fromId: number, count: number): number {
    const question = `${symbol} ${fromId}`
    if (count < 2 || this.#lied.delete(question) || !this.#random.chance(this.faults.hole)) return 0
    this.#lied.add(question)
    this.#tally.add('false holes')
    return this.#random.integer(1, count - 1)
  }

  #published(symbol: string, until: number) {
    const trades = this.#bySymbol.get(symbol)?.trades ?? []
    let end = trades.length
    while (end > 0 && trades[end - 1]!.publishTime > until) end--
    return trades.slice(0, end)
  }
}

function infoOf(symbol: string): SymbolInfo {
  return {
    symbol,
    status: 'TRADING',
    baseAsset: symbol.slice(0, -4),
    quoteAsset: symbol.slice(-4),
    scales: EXCHANGE_SCALES,
    tickSize: '0.01000000',
    stepSize: '0.00001000',
    simulated: true,
  }
}
