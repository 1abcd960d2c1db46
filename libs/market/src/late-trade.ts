import { applyTradeToBar, type Bar, barOfTrade, isFlat } from './bar.ts'
import { openTimeOf } from './interval.ts'
import { type BarChanges, type BarSeries, keepClosed, keptMaxOf, type SymbolBars, silentBar } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

/**
 * Applies a trade whose shortest bar is closed already: every interval's bar that covers its time takes it, closed ones with a new
 * revision.
 * @param whole no ids are missing before it
 */
export function applyLateTrade(bars: SymbolBars, trade: Trade, changes: BarChanges, whole: boolean): void {
  changes.late++
  if (!whole) spoilAfter(bars, trade.tradeTime, changes)
  restate(bars, trade, changes, whole)
  repriceSilence(bars, trade, changes)
}

function restate(bars: SymbolBars, trade: Trade, changes: BarChanges, whole: boolean): void {
  for (const series of bars.series) {
    const openTime = openTimeOf(series.interval, trade.tradeTime)
    if (isLive(bars, series, trade.tradeTime)) {
      series.changed = true
      // The longer live bar is its closed children and the live child: a live child brings the trade along, once.
      const child = bars.series[series.childIndex]
      if (child !== undefined && isLive(bars, child, trade.tradeTime)) continue
      const complete = whole && openTime >= series.sinceTime
      series.live =
        series.live === undefined
          ? barOfTrade(bars.symbol, series.interval, openTime, trade, bars.scales, complete)
          : applyTradeToBar(series.live, trade, bars.scales)
      continue
    }
    const index = series.closed.findIndex(bar => bar.openTime === openTime)
    const bar = series.closed[index]
    if (bar !== undefined) {
      const restated: Bar = {
        ...applyTradeToBar(bar, trade, bars.scales),
        revision: bar.revision + 1,
        complete: bar.complete && whole,
      }
      series.closed[index] = restated
      changes.closed.push(restated)
    } else if (isWithinReach(series, openTime)) {
      const complete = whole && openTime >= series.sinceTime
      const added = barOfTrade(bars.symbol, series.interval, openTime, trade, bars.scales, complete)
      keepClosed(series, { ...added, state: 'closed' }, changes)
    } else {
      changes.beyondReach.push({ interval: series.interval.name, openTime })
    }
  }
}

/** A late trade is the close of its bar, so the flat bars that follow it, up to the next bar with trades, repeat its price. */
function repriceSilence(bars: SymbolBars, trade: Trade, changes: BarChanges): void {
  const prices = { open: trade.price, high: trade.price, low: trade.price, close: trade.price }
  for (const series of bars.series) {
    if (series.live === undefined || isFlat(series.live)) series.changed = true
    if (series.live !== undefined && isFlat(series.live)) series.live = { ...series.live, ...prices }
    const index = series.closed.findIndex(bar => bar.openTime === openTimeOf(series.interval, trade.tradeTime))
    for (let next = index + 1; index >= 0 && next < series.closed.length; next++) {
      const flat = series.closed[next]!
      if (!isFlat(flat)) break
      if (flat.close === trade.price) continue
      const restated: Bar = { ...flat, ...prices, revision: flat.revision + 1 }
      series.closed[next] = restated
      changes.closed.push(restated)
    }
  }
}

function isLive(bars: SymbolBars, series: BarSeries, time: number): boolean {
  return openTimeOf(series.interval, time) === openTimeOf(series.interval, bars.reachedTime)
}

/**
 * The trades missing before a late one can belong to any bar from its time to the time reached: the closed ones are restated
 * as not complete, and a shortest live bar without trades becomes one, so that it is remembered there too.
 */
function spoilAfter(bars: SymbolBars, time: number, changes: BarChanges): void {
  for (const series of bars.series) {
    const openTime = openTimeOf(series.interval, time)
    series.closed = series.closed.map(bar => {
      if (bar.openTime <= openTime || !bar.complete) return bar
      const spoilt: Bar = { ...bar, revision: bar.revision + 1, complete: false }
      changes.closed.push(spoilt)
      return spoilt
    })
  }
  const shortest = bars.series[0]!
  const silent = shortest.live === undefined ? silentBar(bars, shortest) : undefined
  if (silent !== undefined) shortest.live = { ...silent, complete: false }
}

/** No bar of that time was dropped yet: when none is kept, there never was one (the first trades, or a halt). */
function isWithinReach(series: BarSeries, openTime: number): boolean {
  const oldest = series.closed[0]
  return oldest === undefined || series.closed.length < keptMaxOf(series.interval) || openTime > oldest.openTime
}
