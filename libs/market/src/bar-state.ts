import { type Bar, type BarState, isFlat } from './bar.ts'
import { type Interval, KNOWN_INTERVALS, openTimeOf } from './interval.ts'
import { type BarSeries, liveBarsOf, newSymbolBars, type SymbolBars } from './symbol-bars.ts'

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
  const since = bars.series.map(({ interval, sinceTime }) => `"${interval.name}":${sinceTime}`)
  const live = bars.series.flatMap(series =>
    series.live === undefined ? [] : `"${series.interval.name}":${liveRowTextOf(series, series.live)}`,
  )
  const lastPrice = bars.lastPrice === undefined ? 'null' : `"${bars.lastPrice}"`
  return (
    `{"version":${VERSION},"scales":${JSON.stringify(bars.scales)},"lastTradeId":${bars.lastTradeId},"lastPrice":${lastPrice},` +
    `"reachedTime":${bars.reachedTime},"sinceTime":${bars.sinceTime},"since":{${since}},"live":{${live}}}`
  )
}

/** What `live` of a series was when it was made into text last: in all but the shortest it changes only when a child closes. */
const liveRowTexts = new WeakMap<BarSeries, { readonly live: Bar; readonly text: string }>()

function liveRowTextOf(series: BarSeries, live: Bar): string {
  const known = liveRowTexts.get(series)
  if (known?.live === live) return known.text
  const text = JSON.stringify(rowOfBar(live))
  if (series.childIndex >= 0) liveRowTexts.set(series, { live, text })
  return text
}

/** The closed bars of one series that a late trade can still restate. */
export function closedRowsTextOf(series: BarSeries): string {
  return JSON.stringify(series.closed.map(rowOfBar))
}

/** The closed bars of all series. */
export function closedTextOf(bars: SymbolBars): string {
  return closedTextOfRows(bars.series.map(series => [series.interval.name, closedRowsTextOf(series)]))
}

/** The same out of the texts of its series, by interval. */
export function closedTextOfRows(rows: Iterable<readonly [interval: string, text: string]>): string {
  return `{${[...rows].map(([interval, text]) => `${JSON.stringify(interval)}:${text}`)}}`
}

/**
 * The inverse of the two.
 * @param intervals those configured now. One that the text does not know starts in the middle of a bar, which is not
 *   complete; one no longer configured is dropped, and its trades stay in the longer bars
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
  const storedIntervals = KNOWN_INTERVALS.filter(interval => interval.name in state.since)
  const bars = newSymbolBars(symbol, storedIntervals, state.scales, state.lastTradeId, state.sinceTime)
  bars.lastPrice = state.lastPrice === null ? undefined : BigInt(state.lastPrice)
  bars.reachedTime = state.reachedTime
  for (const series of bars.series) {
    const { name } = series.interval
    const row = state.live[name] as BarRow | undefined
    series.sinceTime = state.since[name]
    series.live = row && barOfRow(symbol, series, row, 'live')
    series.closed = (closed[name] ?? []).map(one => barOfRow(symbol, series, one, 'closed'))
  }
  const same = intervals.map(({ name }) => name).join() === storedIntervals.map(({ name }) => name).join()
  return same ? bars : withIntervals(bars, intervals)
}

/**
 * `old` cut anew for other intervals. A longer live bar is kept without its live child, and that child may be another one
 * now: so each whole live bar is made once, and what the new child brings is taken off its sums. Prices and ids can stay,
 * since merging takes the higher, the lower, the first and the last of both.
 */
function withIntervals(old: SymbolBars, intervals: readonly Interval[]): SymbolBars {
  const bars = newSymbolBars(old.symbol, intervals, old.scales, old.lastTradeId, old.sinceTime)
  bars.lastPrice = old.lastPrice
  bars.reachedTime = old.reachedTime
  const oldLive = liveBarsOf(old)
  const live: (Bar | undefined)[] = []
  for (const series of bars.series) {
    const { name, intervalMs } = series.interval
    const index = old.series.findIndex(one => one.interval.name === name)
    const before = old.series[index]
    const child = live[series.childIndex]
    let whole: Bar | undefined
    if (before !== undefined) {
      series.sinceTime = before.sinceTime
      series.closed = before.closed
      whole = oldLive[index]
      // A silent bar is made when someone looks, except one that is known to lack trades.
      if (whole !== undefined && isFlat(whole) && whole.complete) whole = undefined
    } else if (bars.lastPrice !== undefined) {
      const openTime = openTimeOf(series.interval, bars.reachedTime)
      series.sinceTime = Math.max(bars.sinceTime, openTime + intervalMs)
      whole = child && { ...child, interval: name, openTime, complete: false }
    }
    live.push(whole)
    series.live = whole && child ? withoutPart(whole, child) : whole
    series.changed = true
  }
  return bars
}

/** `whole` without the sums of `part`; undefined when nothing is left. */
function withoutPart(whole: Bar, part: Bar): Bar | undefined {
  if (whole.tradeCount === part.tradeCount && whole.complete === part.complete) return undefined
  return {
    ...whole,
    baseVolume: whole.baseVolume - part.baseVolume,
    quoteVolume: whole.quoteVolume - part.quoteVolume,
    takerBuyBaseVolume: whole.takerBuyBaseVolume - part.takerBuyBaseVolume,
    takerBuyQuoteVolume: whole.takerBuyQuoteVolume - part.takerBuyQuoteVolume,
    tradeCount: whole.tradeCount - part.tradeCount,
  }
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
