import { type Bar, flatBar, mergeBars } from './bar.ts'
import type { Scales } from './decimal.ts'
import { type Interval, openTimeOf } from './interval.ts'

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

/** The live bars, one per interval, shortest first; a silent one is flat, and undefined before the first trade ever. */
export function liveBarsOf(bars: SymbolBars): (Bar | undefined)[] {
  const live: (Bar | undefined)[] = []
  for (const series of bars.series) {
    const child = series.childIndex < 0 ? undefined : live[series.childIndex]
    live.push(child === undefined ? series.live : joinChild(series, child))
  }
  return live.map((bar, index) => bar ?? silentBar(bars, bars.series[index]!))
}

/** The flat live bar of a time without trades so far. */
export function silentBar(bars: SymbolBars, series: BarSeries): Bar | undefined {
  if (bars.lastPrice === undefined) return undefined
  const openTime = openTimeOf(series.interval, bars.reachedTime)
  return flatBar(bars.symbol, series.interval, openTime, bars.lastPrice, 'live', openTime >= series.sinceTime)
}

/** `series.live` together with one bar of its child interval. */
export function joinChild(series: BarSeries, child: Bar): Bar {
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

/** Adds a closed bar in its place in time; the oldest falls out when there are too many. */
export function keepClosed(series: BarSeries, closed: Bar, changes: BarChanges): void {
  changes.closed.push(closed)
  let place = series.closed.length
  while (place > 0 && series.closed[place - 1]!.openTime > closed.openTime) place--
  series.closed.splice(place, 0, closed)
  if (series.closed.length > keptMaxOf(series.interval)) series.closed.shift()
}

/** How many closed bars of the interval are kept. */
export function keptMaxOf({ intervalMs }: Interval): number {
  return intervalMs <= 1_000 ? KEPT_BARS.second : KEPT_BARS.longer
}
