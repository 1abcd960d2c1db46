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

/** Charts of a page, and which of them is in use. */
export interface ChartList {
  readonly charts: readonly SeriesName[]
  readonly active: number
}

/** `list` with `count` charts: the one in use stays, further ones show what is not shown yet. */
export function withCount(list: ChartList, count: number, symbols: readonly string[], interval: string): ChartList {
  const isKept = list.active < count
  const charts = list.charts.slice(0, isKept ? count : count - 1)
  if (!isKept) charts.push(list.charts[list.active]!)
  const active = isKept ? list.active : charts.length - 1
  while (charts.length < count) charts.push(nextChart(charts, symbols, interval))
  return { charts, active }
}

/** A chart to add: the next symbol without one, else the first symbol again. */
export function nextChart(charts: readonly SeriesName[], symbols: readonly string[], interval: string): SeriesName {
  const unseen = symbols.find(symbol => !charts.some(chart => chart.symbol === symbol))
  if (unseen !== undefined) return { symbol: unseen, interval }
  // All are shown: go round, so that a page of many charts has each symbol about equally often.
  const timesOf = (symbol: string) => charts.filter(chart => chart.symbol === symbol).length
  const rarest = [...symbols].sort((a, b) => timesOf(a) - timesOf(b))[0] ?? charts[0]?.symbol ?? ''
  return { symbol: rarest, interval }
}
