import { applyTradeToBar, type Bar, barOfTrade, flatBar, isFlat, mergeBars } from './bar.ts'
import type { Scales } from './decimal.ts'
import { type Interval, openTimeOf } from './interval.ts'
import type { Trade } from './trade.ts'

/**
 * All bars of one symbol that can still change: one series per interval, folded from trades and watermarks in log order.
 *
 * A trade touches only the shortest interval. When a bar closes it is merged into the next longer one, and a longer live
 * bar is *closed children + live child*, made when someone looks. Seven intervals so cost what one costs (1.0–1.1×
 * against 0.44× when every trade updates all seven).
 *
 * The rules know no clock: bars close by the time of trades and watermarks alone, so a replay gives the same bars.
 * The state is owned by whoever folds it and changed in place; it is written and read back through `bar-state` codecs.
 */
export interface SymbolBars {
  readonly symbol: string
  readonly scales: Scales
  /** Id of the last trade applied, or of the last one before the first that we asked for. */
  lastTradeId: number
  /** Price of that trade: the close that a flat bar repeats. Undefined before the first trade. */
  lastPrice: bigint | undefined
  /** Exchange time that trades and watermarks have reached: a bar that ends at or before it is closed. 0 before the first. */
  reachedTime: number
  /** Trades are known without a hole from here on; bars that open earlier cannot be complete. */
  readonly sinceTime: number
  /** One per interval, shortest first. */
  readonly series: readonly BarSeries[]
}

/** The bars of one interval. */
export interface BarSeries {
  readonly interval: Interval
  /** Index of the longest shorter interval that divides this one: its closed bars are merged here. −1 for the shortest. */
  readonly childIndex: number
  /** Bars that open earlier cannot be complete: SymbolBars.sinceTime, or later when the interval was configured later. */
  sinceTime: number
  /** Shortest interval: the live bar. Longer ones: the closed children of the live bar. Undefined while there is none. */
  live: Bar | undefined
  /** The newest closed bars, oldest first, kept so that a late trade can restate them. */
  closed: Bar[]
  /** The live bar changed since the flag was last cleared by whoever writes bars out. */
  changed: boolean
}

/** What a fold tells its caller, besides the state. */
export interface BarChanges {
  /** Bars that closed (revision 0) or were restated (revision above 0), in order for each interval. */
  readonly closed: Bar[]
  duplicates: number
  /** Ids that the log passed over, which means that the exchange itself has no such trades. */
  missing: number
  /** Trades of a bar that was closed already. */
  late: number
  /** Closed bars that a late trade belonged to but which are no longer kept: they need repair from the exchange. */
  readonly beyondReach: { interval: string; openTime: number }[]
}

/**
 * How many closed bars of an interval a late trade can still restate. Seconds are short, so more of them are kept: the
 * exchange's slowest recorded frame was 300 ms behind, and a reconnect with backfill takes a few seconds.
 */
export const KEPT_BARS = { second: 10, longer: 3 } as const

/**
 * Longest run of silent bars that is written out as flat bars. An hour of seconds or two months of hours; a symbol silent
 * for longer gets no bars for the rest of that run, and its larger intervals still do.
 */
export const FLAT_RUN_MAX = 3_600

export function newChanges(): BarChanges {
  return { closed: [], duplicates: 0, missing: 0, late: 0, beyondReach: [] }
}

/**
 * The state before the first trade.
 * @param intervals shortest first, see intervalsOf
 * @param lastTradeId id of the last trade before those to come
 * @param sinceTime no trade at or after this time has an id at or below lastTradeId
 */
export function newSymbolBars(
  symbol: string,
  intervals: readonly Interval[],
  scales: Scales,
  lastTradeId: number,
  sinceTime: number,
): SymbolBars {
  return {
    symbol,
    scales,
    lastTradeId,
    lastPrice: undefined,
    reachedTime: 0,
    sinceTime,
    series: intervals.map((interval, index) => ({
      interval,
      childIndex: childIndexOf(intervals, index),
      sinceTime,
      live: undefined,
      closed: [],
      changed: false,
    })),
  }
}

/** Index of the longest interval before `index` that divides it; −1 for the first. */
export function childIndexOf(intervals: readonly Interval[], index: number): number {
  const whole = intervals[index]
  if (whole === undefined) return -1
  for (let child = index - 1; child >= 0; child--) {
    const part = intervals[child]
    if (part !== undefined && whole.intervalMs % part.intervalMs === 0) return child
  }
  return -1
}

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
    for (const series of bars.series) if (series.live) series.live = { ...series.live, complete: false }
  }
  const openTime = openTimeOf(shortest.interval, trade.tradeTime)
  if (openTime < openTimeOf(shortest.interval, bars.reachedTime)) {
    restate(bars, trade, changes, missing === 0)
    repriceSilence(bars, trade, changes)
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

/** The live bars, one per interval, shortest first; a silent one is flat, and undefined before the first trade ever. */
export function liveBarsOf(bars: SymbolBars): (Bar | undefined)[] {
  const live: (Bar | undefined)[] = []
  for (const series of bars.series) {
    const child = series.childIndex < 0 ? undefined : live[series.childIndex]
    live.push(child === undefined ? series.live : joinChild(series, child))
  }
  return live.map((bar, index) => bar ?? silentBar(bars, bars.series[index]!))
}

function silentBar(bars: SymbolBars, series: BarSeries): Bar | undefined {
  if (bars.lastPrice === undefined) return undefined
  const openTime = openTimeOf(series.interval, bars.reachedTime)
  return flatBar(bars.symbol, series.interval, openTime, bars.lastPrice, 'live', openTime >= series.sinceTime)
}

/** `series.live` together with one bar of its child interval. */
function joinChild(series: BarSeries, child: Bar): Bar {
  if (series.live !== undefined) return mergeBars(series.live, child)
  const openTime = openTimeOf(series.interval, child.openTime)
  return {
    ...child,
    interval: series.interval.name,
    openTime,
    state: 'live',
    revision: 0,
    complete: child.complete && openTime >= series.sinceTime,
  }
}

/** Moves the reached time on, closing what ends by then, shortest interval first, so that children reach their parents. */
function advance(bars: SymbolBars, time: number, changes: BarChanges, fillSilence: boolean, whole: boolean): void {
  const reached = bars.reachedTime
  for (const series of bars.series) {
    const openTime = openTimeOf(series.interval, reached)
    const nextOpenTime = openTimeOf(series.interval, time)
    if (openTime === nextOpenTime) continue
    series.changed = true
    const live = series.live
    if (live !== undefined) {
      const closed: Bar = { ...live, state: 'closed' }
      series.live = undefined
      insert(series, closed, changes)
      for (const parent of bars.series) {
        if (bars.series[parent.childIndex] === series) parent.live = joinChild(parent, closed)
      }
    }
    if (fillSilence && reached > 0) {
      const silentFrom = live === undefined ? openTime : openTime + series.interval.intervalMs
      fillWithFlatBars(bars, series, silentFrom, nextOpenTime, changes, whole)
    }
  }
  bars.reachedTime = time
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
    insert(series, flatBar(bars.symbol, series.interval, openTime, bars.lastPrice, 'closed', complete), changes)
  }
}

/** A late trade: every interval's bar that covers its time takes it, closed ones with a new revision. */
function restate(bars: SymbolBars, trade: Trade, changes: BarChanges, whole: boolean): void {
  changes.late++
  if (!whole) spoilAfter(bars, trade.tradeTime, changes)
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
      insert(series, { ...added, state: 'closed' }, changes)
    } else {
      changes.beyondReach.push({ interval: series.interval.name, openTime })
    }
  }
}

/** A late trade is the close of its bar, so the flat bars that follow it, up to the next bar with trades, repeat its price. */
function repriceSilence(bars: SymbolBars, trade: Trade, changes: BarChanges): void {
  const prices = { open: trade.price, high: trade.price, low: trade.price, close: trade.price }
  for (const series of bars.series) {
    if (series.live !== undefined && isFlat(series.live)) series.live = { ...series.live, ...prices }
    if (series.live === undefined) series.changed = true
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
  return oldest === undefined || series.closed.length < keptMaxOf(series) || openTime > oldest.openTime
}

/** Adds a closed bar in its place in time; the oldest falls out when there are too many. */
function insert(series: BarSeries, closed: Bar, changes: BarChanges): void {
  changes.closed.push(closed)
  let place = series.closed.length
  while (place > 0 && series.closed[place - 1]!.openTime > closed.openTime) place--
  series.closed.splice(place, 0, closed)
  if (series.closed.length > keptMaxOf(series)) series.closed.shift()
}

function keptMaxOf(series: BarSeries): number {
  return series.interval.intervalMs <= 1_000 ? KEPT_BARS.second : KEPT_BARS.longer
}
