import { tradeOfRestRow } from '@chart/binance'
import {
  applyTrade,
  applyTradeToBar,
  type Bar,
  type BarChanges,
  barOfTrade,
  DEFAULT_INTERVALS,
  EXCHANGE_SCALES,
  type Interval,
  intervalsOf,
  isFlat,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  openTimeOf,
  packTrades,
  type SymbolBars,
  type Trade,
  textOfBar,
  unpackTrades,
} from '@chart/market'
import type { TradeRow } from '../../harness/generated-trades.ts'
import type { BarAsText, Bars, Way } from './bars-as-text.ts'

/** What makes bars with the product's own rules. */

const SEVEN = intervalsOf(DEFAULT_INTERVALS)
const MINUTE = intervalsOf(['1m'])

/** Trades of one symbol in one batch, after which an aggregator has written down what has closed. */
const BATCH_TRADES = 100

/** Text to bars of seven intervals. */
export const ours: Way = (rows, keepsAll) => () => barsOfRows(rows, SEVEN, keepsAll)

/** The same of one interval. */
export const oursMinutes: Way = (rows, keepsAll) => () => barsOfRows(rows, MINUTE, keepsAll)

/** Packed runs of trades to bars of seven intervals: what an aggregator does. */
export const oursPacked: Way = (rows, keepsAll) => {
  const runs = packedRunsOf(rows)
  return () => {
    const folded = new FoldedSymbols(SEVEN, keepsAll)
    for (const { symbol, bytes } of runs) for (const trade of unpackTrades(bytes).trades) folded.apply(symbol, trade)
    return folded.bars()
  }
}

/** The same rules without the roll-up: each trade is added to the live bar of every interval. */
export const allSevenEachTrade: Way = (rows, keepsAll) => () => {
  const liveOf = new Map<string, Bar[]>()
  const closed = new TakenBars(keepsAll)
  for (const row of rows) {
    const trade = tradeOf(row)
    const live = liveOf.get(row.symbol) ?? []
    liveOf.set(row.symbol, live)
    for (let index = 0; index < SEVEN.length; index++) {
      const interval = SEVEN[index]!
      const openTime = openTimeOf(interval, trade.tradeTime)
      const bar = live[index]
      if (bar?.openTime === openTime) live[index] = applyTradeToBar(bar, trade, EXCHANGE_SCALES)
      else {
        if (bar !== undefined) closed.take([{ ...bar, state: 'closed' }])
        live[index] = barOfTrade(row.symbol, interval, openTime, trade, EXCHANGE_SCALES, true)
      }
    }
  }
  return () => asText([...closed.kept, ...[...liveOf.values()].flat()])
}

function barsOfRows(rows: readonly TradeRow[], intervals: readonly Interval[], keepsAll: boolean): Bars {
  const folded = new FoldedSymbols(intervals, keepsAll)
  for (const row of rows) folded.apply(row.symbol, tradeOf(row))
  return folded.bars()
}

function tradeOf(row: TradeRow): Trade {
  return tradeOfRestRow(row)!
}

interface Folded {
  readonly bars: SymbolBars
  changes: BarChanges
  /** Trades since the changes were taken. */
  trades: number
}

/** The bars of each symbol; what has closed is taken once a batch. */
class FoldedSymbols {
  readonly #intervals: readonly Interval[]
  readonly #taken: TakenBars
  readonly #symbols = new Map<string, Folded>()

  constructor(intervals: readonly Interval[], keepsAll: boolean) {
    this.#intervals = intervals
    this.#taken = new TakenBars(keepsAll)
  }

  apply(symbol: string, trade: Trade): void {
    const folded = this.#symbols.get(symbol) ?? this.#begin(symbol, trade.tradeId)
    applyTrade(folded.bars, trade, folded.changes)
    if (++folded.trades === BATCH_TRADES) {
      this.#taken.take(folded.changes.closed)
      folded.changes = newChanges()
      folded.trades = 0
    }
  }

  bars(): Bars {
    for (const { changes } of this.#symbols.values()) this.#taken.take(changes.closed)
    const live = [...this.#symbols.values()].flatMap(({ bars }) => liveBarsOf(bars)).filter(bar => bar !== undefined)
    return () => asText([...this.#taken.kept, ...live])
  }

  #begin(symbol: string, firstTradeId: number): Folded {
    const bars = newSymbolBars(symbol, this.#intervals, EXCHANGE_SCALES, firstTradeId - 1, 0)
    const folded = { bars, changes: newChanges(), trades: 0 }
    this.#symbols.set(symbol, folded)
    return folded
  }
}

/** Closed bars: all of them, or the last ones, which stand for having used them. */
class TakenBars {
  readonly #keepsAll: boolean
  kept: Bar[] = []

  constructor(keepsAll: boolean) {
    this.#keepsAll = keepsAll
  }

  take(closed: Bar[]): void {
    if (this.#keepsAll) this.kept.push(...closed)
    else this.kept = closed
  }
}

function asText(bars: readonly Bar[]): BarAsText[] {
  return bars
    .filter(bar => !isFlat(bar))
    .map(bar => {
      const text = textOfBar(bar, EXCHANGE_SCALES)
      const { symbol, interval, openTime, open, high, low, close, tradeCount, baseVolume } = text
      const { takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume } = text
      const volumes = [baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume]
      return { symbol, interval, openTime, numbers: [open, high, low, close, String(tradeCount), ...volumes] }
    })
}

/** In the order in which their last trade came. */
function packedRunsOf(rows: readonly TradeRow[]): { symbol: string; bytes: Uint8Array }[] {
  const runs: { symbol: string; bytes: Uint8Array }[] = []
  const waiting = new Map<string, Trade[]>()
  const flush = (symbol: string, trades: readonly Trade[]) => {
    if (trades.length > 0) runs.push({ symbol, bytes: packTrades(trades, EXCHANGE_SCALES).slice() })
    waiting.set(symbol, [])
  }
  for (const row of rows) {
    const trades = waiting.get(row.symbol) ?? []
    waiting.set(row.symbol, trades)
    trades.push(tradeOf(row))
    if (trades.length === BATCH_TRADES) flush(row.symbol, trades)
  }
  for (const [symbol, trades] of waiting) flush(symbol, trades)
  return runs
}
