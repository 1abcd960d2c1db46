import type { Bar, BarState } from './bar.ts'
import { type BarSeries, newSymbolBars, type SymbolBars } from './bar-series.ts'
import type { Interval } from './interval.ts'

/**
 * SymbolBars as text and back, so that an aggregator that takes over goes on exactly where the last commit stood.
 * Two texts: `live` changes with every trade, `closed` only when a bar closes or is restated, so it is rewritten seldom.
 */
export interface BarStateText {
  readonly live: string
  readonly closed: string
}

/** Raised when the layout changes; an unknown version is refused rather than guessed at. */
const VERSION = 1

type BarRow = [
  number,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  number,
  number,
  number,
  number,
  0 | 1,
]

/** The part that every trade changes. */
export function liveTextOf(bars: SymbolBars): string {
  return JSON.stringify({
    version: VERSION,
    scales: bars.scales,
    lastTradeId: bars.lastTradeId,
    lastPrice: bars.lastPrice === undefined ? null : bars.lastPrice.toString(),
    reachedTime: bars.reachedTime,
    sinceTime: bars.sinceTime,
    live: Object.fromEntries(
      bars.series.flatMap(series => (series.live ? [[series.interval.name, rowOfBar(series.live)]] : [])),
    ),
  })
}

/** The closed bars that a late trade can still restate. */
export function closedTextOf(bars: SymbolBars): string {
  return JSON.stringify(
    Object.fromEntries(bars.series.map(series => [series.interval.name, series.closed.map(rowOfBar)])),
  )
}

/**
 * The inverse of the two.
 * @param intervals those configured now: one that the text does not know starts empty, one no longer configured is dropped
 * @throws Error when the text has another version
 */
export function symbolBarsOfText(symbol: string, intervals: readonly Interval[], text: BarStateText): SymbolBars {
  const state = JSON.parse(text.live)
  if (state.version !== VERSION) {
    throw new Error(
      `the stored state of ${symbol} has version ${state.version}, this program reads ${VERSION}; run the matching release`,
    )
  }
  const closed = JSON.parse(text.closed) as Record<string, BarRow[]>
  const bars = newSymbolBars(symbol, intervals, state.scales, state.lastTradeId, state.sinceTime)
  bars.lastPrice = state.lastPrice === null ? undefined : BigInt(state.lastPrice)
  bars.reachedTime = state.reachedTime
  for (const series of bars.series) {
    const row = state.live[series.interval.name] as BarRow | undefined
    series.live = row && barOfRow(symbol, series, row, 'live')
    series.closed = (closed[series.interval.name] ?? []).map(one => barOfRow(symbol, series, one, 'closed'))
  }
  return bars
}

function rowOfBar(bar: Bar): BarRow {
  return [
    bar.openTime,
    bar.open.toString(),
    bar.high.toString(),
    bar.low.toString(),
    bar.close.toString(),
    bar.baseVolume.toString(),
    bar.quoteVolume.toString(),
    bar.takerBuyBaseVolume.toString(),
    bar.takerBuyQuoteVolume.toString(),
    bar.tradeCount,
    bar.firstTradeId,
    bar.lastTradeId,
    bar.revision,
    bar.complete ? 1 : 0,
  ]
}

function barOfRow(symbol: string, series: BarSeries, row: BarRow, state: BarState): Bar {
  return {
    symbol,
    interval: series.interval.name,
    openTime: row[0],
    open: BigInt(row[1]),
    high: BigInt(row[2]),
    low: BigInt(row[3]),
    close: BigInt(row[4]),
    baseVolume: BigInt(row[5]),
    quoteVolume: BigInt(row[6]),
    takerBuyBaseVolume: BigInt(row[7]),
    takerBuyQuoteVolume: BigInt(row[8]),
    tradeCount: row[9],
    firstTradeId: row[10],
    lastTradeId: row[11],
    state,
    revision: row[12],
    complete: row[13] === 1,
  }
}
