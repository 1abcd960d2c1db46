import { applyTradeToBar, type Bar, barOfTrade, flatBar } from './bar.ts'
import { openTimeOf } from './interval.ts'
import { applyLateTrade } from './late-trade.ts'
import { type BarChanges, type BarSeries, FLAT_RUN_MAX, joinChild, keepClosed, type SymbolBars } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

/**
 * Applies one trade. Trades come in tradeId order (the trade log keeps it); one already counted changes nothing, so a
 * replay is harmless. A jump of ids is a hole that the exchange itself has: the bars it may fall into are not complete.
 * @param fillSilence false after a trading halt: the exchange makes no bars for that time, so neither do we
 */
export function applyTrade(bars: SymbolBars, trade: Trade, changes: BarChanges, fillSilence = true): void {
  if (trade.tradeId <= bars.lastTradeId) {
    changes.duplicates++
    return
  }
  const missing = trade.tradeId - bars.lastTradeId - 1
  const shortest = bars.series[0]!
  const reached = bars.reachedTime
  // Before the first trade there are no bars, so a watermark that was too early has closed none: time starts with the trade.
  if (bars.lastPrice === undefined) bars.reachedTime = 0
  if (missing > 0) {
    changes.missing += missing
    for (const series of bars.series) {
      if (series.live !== undefined) series.live = { ...series.live, complete: false }
      series.changed = true
    }
  }
  const openTime = openTimeOf(shortest.interval, trade.tradeTime)
  if (openTime < openTimeOf(shortest.interval, bars.reachedTime)) {
    applyLateTrade(bars, trade, changes, missing === 0)
  } else {
    if (trade.tradeTime > bars.reachedTime) advance(bars, trade.tradeTime, changes, fillSilence, missing === 0)
    const live = shortest.live
    shortest.live =
      live === undefined
        ? barOfTrade(
            bars.symbol,
            shortest.interval,
            openTime,
            trade,
            bars.scales,
            missing === 0 && openTime >= shortest.sinceTime,
          )
        : applyTradeToBar(live, trade, bars.scales)
    for (const series of bars.series) series.changed = true
  }
  bars.lastTradeId = trade.tradeId
  bars.lastPrice = trade.price
  if (reached > bars.reachedTime) advance(bars, reached, changes, fillSilence, missing === 0)
}

/**
 * Applies a watermark: the exchange has sent everything before `time`. Bars that end at or before it close, and silent
 * ones become flat bars.
 */
export function applyWatermark(bars: SymbolBars, time: number, changes: BarChanges): void {
  if (time > bars.reachedTime) advance(bars, time, changes, true, true)
}

/**
 * Moves the reached time on, closing what ends by then, shortest interval first, so that children reach their parents.
 * @param fillSilence false where the exchange makes no bars
 * @param whole no trades are missing until then
 */
export function advance(
  bars: SymbolBars,
  time: number,
  changes: BarChanges,
  fillSilence: boolean,
  whole: boolean,
): void {
  const reached = bars.reachedTime
  bars.reachedTime = time
  // The shortest interval divides all others, so no bar ends inside its bar; nearly every trade stays inside.
  const shortest = bars.series[0]!.interval
  if (openTimeOf(shortest, reached) === openTimeOf(shortest, time)) return
  for (const series of bars.series) {
    const openTime = openTimeOf(series.interval, reached)
    const nextOpenTime = openTimeOf(series.interval, time)
    if (openTime === nextOpenTime) continue
    series.changed = true
    const live = series.live
    if (live !== undefined) {
      const closed: Bar = { ...live, state: 'closed' }
      series.live = undefined
      keepClosed(series, closed, changes)
      for (const parent of bars.series) {
        if (bars.series[parent.childIndex] === series) parent.live = joinChild(parent, closed)
      }
    }
    if (fillSilence && reached > 0) {
      const silentFrom = live === undefined ? openTime : openTime + series.interval.intervalMs
      fillWithFlatBars(bars, series, silentFrom, nextOpenTime, changes, whole)
    }
  }
}

function fillWithFlatBars(
  bars: SymbolBars,
  series: BarSeries,
  from: number,
  until: number,
  changes: BarChanges,
  whole: boolean,
): void {
  if (bars.lastPrice === undefined) return
  const last = Math.min(until, from + FLAT_RUN_MAX * series.interval.intervalMs)
  for (let openTime = from; openTime < last; openTime += series.interval.intervalMs) {
    const complete = whole && openTime >= series.sinceTime
    keepClosed(series, flatBar(bars.symbol, series.interval, openTime, bars.lastPrice, 'closed', complete), changes)
  }
}
