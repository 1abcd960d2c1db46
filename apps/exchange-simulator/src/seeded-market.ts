import type { Market, TradeHistory } from './market.ts'
import { hash, hashText } from './random.ts'
import { generateSecond, lateByMsMax } from './seeded-second.ts'
import { rulesOf, type SymbolRules } from './symbol-rules.ts'
import type { Trade } from './trade.ts'
import { TradeCounts } from './trade-counts.ts'

export interface SeededMarketOptions {
  readonly symbols: readonly string[]
  readonly seed: number
  /** Trading begins here, ms; a whole second. */
  readonly genesisTime: number
  /** Mean of all symbols together; shared out by `weights`. */
  readonly tradesPerSecond: number
  /** Share of a symbol in `tradesPerSecond`. Default: the n-th listed has 1/sqrt(n). */
  readonly weights?: Readonly<Record<string, number>>
  /** Trades per second of single symbols; goes before the share. */
  readonly rates?: Readonly<Record<string, number>>
  readonly startTradeId: number
  readonly silentMinuteShare: number
  readonly burstiness: number
  readonly lateShare: number
}

/**
 * Trades that stay in memory after they were made, over all symbols; about 100 MB. Past it the longest unused go. What is
 * being sent and the second after it must fit, so this carries 200,000 trades/s.
 */
const cachedTradesMax = 400_000

/**
 * A market that is a pure function of its options: who starts it again with the same ones finds the same trades, ids and
 * prices included, and later ones going on from them. Nothing is stored; a second is made when asked for.
 */
export function createSeededMarket(options: SeededMarketOptions): Market {
  const cache = new SecondCache()
  const weightOf = (symbol: string, index: number) => options.weights?.[symbol] ?? 1 / Math.sqrt(index + 1)
  const weights = options.symbols.reduce((sum, symbol, index) => sum + weightOf(symbol, index), 0)
  const histories = new Map<string, TradeHistory>()
  for (const [index, symbol] of options.symbols.entries()) {
    const share = weights > 0 ? weightOf(symbol, index) / weights : 0
    const tradesPerSecond = options.rates?.[symbol] ?? options.tradesPerSecond * share
    histories.set(symbol, new SeededHistory(rulesOf(symbol), index, tradesPerSecond, options, cache))
  }
  return { histories, startTime: options.genesisTime, endTime: Number.POSITIVE_INFINITY, recorded: false }
}

class SeededHistory implements TradeHistory {
  readonly rules: SymbolRules
  readonly latenessMaxMs: number
  readonly #index: number
  readonly #symbolSeed: number
  readonly #counts: TradeCounts
  readonly #options: SeededMarketOptions
  readonly #cache: SecondCache

  constructor(
    rules: SymbolRules,
    index: number,
    tradesPerSecond: number,
    options: SeededMarketOptions,
    cache: SecondCache,
  ) {
    this.rules = rules
    this.#index = index
    this.latenessMaxMs = options.lateShare > 0 ? lateByMsMax : 0
    this.#symbolSeed = hash(options.seed, hashText(rules.symbol), 0)
    this.#options = options
    this.#cache = cache
    const { genesisTime, silentMinuteShare, burstiness } = options
    this.#counts = new TradeCounts({
      symbolSeed: this.#symbolSeed,
      tradesPerSecond,
      genesisTime,
      silentMinuteShare,
      burstiness,
    })
  }

  countBefore(time: number): number {
    const second = Math.floor(time / 1000) * 1000
    const { before, count } = this.#counts.ofSecond(second)
    if (count === 0 || time === second) return before
    const trades = this.#second(second)
    let low = 0
    let high = trades.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (trades[middle]!.eventTime < time) low = middle + 1
      else high = middle
    }
    return before + low
  }

  positionOf(tradeId: number): number {
    return Math.max(0, tradeId - this.#options.startTradeId)
  }

  read(from: number, to: number): Trade[] {
    const found: Trade[] = []
    for (let position = from; position < to; ) {
      const second = this.#counts.secondOf(position)
      const { before, count } = this.#counts.ofSecond(second)
      const trades = this.#second(second)
      const end = Math.min(to, before + count)
      for (; position < end; position++) found.push(trades[position - before]!)
    }
    return found
  }

  prepare(time: number): void {
    const second = Math.floor(time / 1000) * 1000
    if (this.#counts.ofSecond(second).count > 0) this.#second(second)
  }

  #second(time: number): Trade[] {
    const key = (time / 1000) * this.#options.symbols.length + this.#index
    return this.#cache.get(key, () => {
      const { before, count } = this.#counts.ofSecond(time)
      const { lateShare, genesisTime, startTradeId } = this.#options
      const firstTradeId = startTradeId + before
      const { rules } = this
      return generateSecond({ rules, symbolSeed: this.#symbolSeed, time, count, firstTradeId, lateShare, genesisTime })
    })
  }
}

/** The seconds made last, least recently used out first once there are more than `cachedTradesMax` trades. */
class SecondCache {
  readonly #seconds = new Map<number, Trade[]>()
  #trades = 0

  get(key: number, make: () => Trade[]): Trade[] {
    const known = this.#seconds.get(key)
    if (known) {
      this.#seconds.delete(key)
      this.#seconds.set(key, known)
      return known
    }
    const made = make()
    this.#seconds.set(key, made)
    this.#trades += made.length
    for (const [oldKey, old] of this.#seconds) {
      if (this.#trades <= cachedTradesMax || oldKey === key) break
      this.#seconds.delete(oldKey)
      this.#trades -= old.length
    }
    return made
  }
}
