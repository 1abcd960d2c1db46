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

/** Trades of one run of the log's entry, about what a batch of a busy symbol carries. */
const RUN_TRADES = 100

/** Text to bars of seven intervals. */
export const ours: Way = rows => () => barsOfRows(rows, SEVEN)

/** The same of one interval. */
export const oursMinutes: Way = rows => () => barsOfRows(rows, MINUTE)

/** Packed runs of trades to bars of seven intervals: what an aggregator does. */
export const oursPacked: Way = rows => {
  const runs = packedRunsOf(rows)
  return () => {
    const folded = new FoldedSymbols(SEVEN)
    for (const { symbol, bytes } of runs) {
      const { bars, changes } = folded.of(symbol, firstIdOf(rows, symbol))
      for (const trade of unpackTrades(bytes).trades) applyTrade(bars, trade, changes)
    }
    return folded.bars()
  }
}

/** The same rules without the roll-up: each trade is added to the live bar of every interval. */
export const allSevenEachTrade: Way = rows => () => {
  const liveOf = new Map<string, Bar[]>()
  const closed: Bar[] = []
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
        if (bar !== undefined) closed.push({ ...bar, state: 'closed' })
        live[index] = barOfTrade(row.symbol, interval, openTime, trade, EXCHANGE_SCALES, true)
      }
    }
  }
  return () => asText([...closed, ...[...liveOf.values()].flat()])
}

function barsOfRows(rows: readonly TradeRow[], intervals: readonly Interval[]): Bars {
  const folded = new FoldedSymbols(intervals)
  for (const row of rows) {
    const { bars, changes } = folded.of(row.symbol, row.id)
    applyTrade(bars, tradeOf(row), changes)
  }
  return folded.bars()
}

function tradeOf(row: TradeRow): Trade {
  return tradeOfRestRow(row)!
}

/** The bars of each symbol and what has closed. */
class FoldedSymbols {
  readonly #intervals: readonly Interval[]
  readonly #symbols = new Map<string, { readonly bars: SymbolBars; readonly changes: BarChanges }>()

  constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals
  }

  of(symbol: string, firstTradeId: number): { readonly bars: SymbolBars; readonly changes: BarChanges } {
    const known = this.#symbols.get(symbol)
    if (known !== undefined) return known
    const bars = newSymbolBars(symbol, this.#intervals, EXCHANGE_SCALES, firstTradeId - 1, 0)
    const folded = { bars, changes: newChanges() }
    this.#symbols.set(symbol, folded)
    return folded
  }

  bars(): Bars {
    return () =>
      [...this.#symbols.values()].flatMap(({ bars, changes }) =>
        asText([...changes.closed, ...liveBarsOf(bars).filter(bar => bar !== undefined)]),
      )
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
    if (trades.length === RUN_TRADES) flush(row.symbol, trades)
  }
  for (const [symbol, trades] of waiting) flush(symbol, trades)
  return runs
}

function firstIdOf(rows: readonly TradeRow[], symbol: string): number {
  return rows.find(row => row.symbol === symbol)!.id
}
