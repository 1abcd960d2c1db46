import type { BarText, Interval } from '@chart/market'
import { type BarHistory, type HistorySeries, mergedOf, openTimesOf } from './bar-history.ts'

/** Bars looked for in the outbox behind the newest stored one: a week of minutes that PostgreSQL is away. */
const WAITING_MAX = 10_000

export interface PageRange {
  readonly series: HistorySeries
  /** As the symbol's state has them: the live bar, and the newest closed ones, oldest first. */
  readonly live: BarText | undefined
  readonly closed: readonly BarText[]
  /** Open times from here on, inclusive. */
  readonly from: number
  /** Open times before this, exclusive. */
  readonly to: number
  readonly order: 'oldest' | 'newest'
  /** 1 … 1,001. */
  readonly limit: number
  readonly includeLive: boolean
}

/**
 * The first `limit` bars of a range in the order asked for: those that are stored, those that closed and wait for PostgreSQL, and the
 * live bar. Where a bar is in several places its newest version is given.
 * @throws HistoryUnavailableError; an error of Redis
 */
export async function readBarsPage(history: BarHistory, range: PageRange): Promise<BarText[]> {
  const { series, live, from, to, order, limit } = range
  // The live bar is the newest: what else has its time closed between two readings, and has its place on the next page.
  const end = range.includeLive && live !== undefined ? Math.min(to, live.openTime) : to
  const stored = await history.list(series, from, end, order, limit)
  const closed = range.closed.filter(bar => bar.openTime >= from && bar.openTime < end)
  const unstored = unstoredOpenTimes(range, stored, end)
  const waiting = await history.waiting(series, [...stored.map(bar => bar.openTime), ...unstored])
  for (const bar of closed) if (!waiting.has(bar.openTime)) waiting.set(bar.openTime, bar)
  // One that was in neither left the outbox for PostgreSQL between the two looks.
  const isLost = unstored.some(openTime => !waiting.has(openTime))
  const again = isLost ? await history.list(series, unstored[0]!, end, order, limit) : []
  const bars = mergedOf([...stored, ...again], waiting).filter(bar => isWithin(bar, stored, order, limit))
  const withLive = range.includeLive && live !== undefined && live.openTime >= from && live.openTime < to
  if (withLive) bars.push(live)
  return (order === 'oldest' ? bars : bars.reverse()).slice(0, limit)
}

/** A full page ends where PostgreSQL's does: what lies beyond is not known to have no bar before it. */
function isWithin(bar: BarText, stored: readonly BarText[], order: 'oldest' | 'newest', limit: number): boolean {
  const last = stored.length < limit ? undefined : stored.at(-1)
  if (last === undefined) return true
  return order === 'oldest' ? bar.openTime <= last.openTime : bar.openTime >= last.openTime
}

/** Open times after the newest stored bar, up to the live one, that may have a bar. */
function unstoredOpenTimes(range: PageRange, stored: readonly BarText[], end: number): number[] {
  const { order, limit, series, live, from } = range
  if (order === 'oldest' && stored.length >= limit) return []
  const { intervalMs } = series.interval
  const newest = order === 'oldest' ? stored.at(-1) : stored[0]
  const to = Math.min(end, live?.openTime ?? nowOpenTime(series.interval))
  const start = Math.max(from, newest === undefined ? 0 : newest.openTime + intervalMs, to - WAITING_MAX * intervalMs)
  return openTimesOf(series.interval, start, to)
}

function nowOpenTime({ intervalMs }: Interval): number {
  return Math.floor(Date.now() / intervalMs) * intervalMs
}
