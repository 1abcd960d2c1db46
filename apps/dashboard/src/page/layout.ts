import type { SeriesName } from '../wire.ts'
import { CHARTS_MAX } from './page-address.ts'

/** Numbers of charts that the page offers. */
export const LAYOUTS: readonly number[] = [1, 2, 4, 6, 9, CHARTS_MAX]

/** Below this width, in CSS pixels, charts stand one below the other. */
export const NARROW_MAX_PX = 640

/** How much wider than high a chart is best. */
const BEST_RATIO = 1.7

/** Columns in which `count` charts have the best shape in a room of `width` × `height`. */
export function columnsOf(count: number, width: number, height: number): number {
  if (width <= NARROW_MAX_PX) return 1
  let best = 1
  let bestFault = Number.POSITIVE_INFINITY
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns)
    const ratio = width / columns / (height / rows)
    const empty = columns * rows - count
    // An empty place is as bad as a chart that is a quarter too wide.
    const fault = Math.abs(Math.log(ratio / BEST_RATIO)) + empty * Math.log(1.25)
    if (fault < bestFault) {
      best = columns
      bestFault = fault
    }
  }
  return best
}

/** What further charts may show, and over which interval the first of them does. */
export interface Choice {
  readonly symbols: readonly string[]
  readonly intervals: readonly string[]
  readonly interval: string
}

/** How a page comes to have another number of charts. */
export interface LayoutChange {
  /** Places of those that stay. */
  readonly kept: readonly number[]
  readonly added: readonly SeriesName[]
  /** Place, afterwards, of the chart in use. */
  readonly active: number
}

/** What becomes of `charts` when there are to be `count`: the one in use stays, further ones show what is not shown yet. */
export function withCount(charts: readonly SeriesName[], active: number, count: number, choice: Choice): LayoutChange {
  const isActiveKept = active < count
  const kept = charts.map((_, index) => index).slice(0, isActiveKept ? count : count - 1)
  if (!isActiveKept) kept.push(active)
  const after = kept.map(index => charts[index]!)
  while (after.length < count) after.push(nextChart(after, choice))
  return { kept, added: after.slice(kept.length), active: kept.indexOf(active) }
}

/** A chart to add: a symbol without one, else a symbol over an interval that is not shown yet. */
export function nextChart(charts: readonly SeriesName[], { symbols, intervals, interval }: Choice): SeriesName {
  const unseen = symbols.find(symbol => !charts.some(chart => chart.symbol === symbol))
  if (unseen !== undefined) return { symbol: unseen, interval }
  const place = Math.max(0, intervals.indexOf(interval))
  const fromThere = [...intervals.slice(place), ...intervals.slice(0, place)]
  const names = fromThere.flatMap(one => symbols.map(symbol => ({ symbol, interval: one })))
  const isShown = (name: SeriesName) =>
    charts.some(chart => chart.symbol === name.symbol && chart.interval === name.interval)
  return names.find(name => !isShown(name)) ?? names[0] ?? charts[0]!
}
