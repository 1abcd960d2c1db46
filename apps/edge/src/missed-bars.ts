import type { Log } from '@chart/service'
import { type BarHistory, HistoryUnavailableError } from './bar-history.ts'
import type { StoredBars } from './symbol-bars.ts'
import type { OlderBars, WatchedSymbol } from './watched-symbol.ts'

/** The longest run of closed bars that is told late after updates were missed: two hours of minutes. */
const MISSED_BARS_MAX = 120

/**
 * By interval, the closed bars that subscribers lack and that the symbol's state no longer keeps, with the gap that remains. Trouble of
 * PostgreSQL does not hold up live bars: then all of them are the gap.
 * @throws an error of Redis
 */
export async function readMissedBars(
  watched: WatchedSymbol,
  stored: StoredBars,
  { history, log }: { history: BarHistory; log: Log },
): Promise<Map<string, OlderBars>> {
  const older = new Map<string, OlderBars>()
  const { tag, symbol } = watched
  for (const { interval, fold } of watched.series) {
    const from = fold.nextClosed
    const kept = stored.series.get(interval.name)
    const to = kept?.closed[0]?.openTime ?? kept?.live?.openTime
    if (from === undefined || to === undefined || to <= from) continue
    const start = Math.max(from, to - MISSED_BARS_MAX * interval.intervalMs)
    const gapUpTo = (endTime: number) => (endTime > from ? { startTime: from, endTime } : undefined)
    if (!history.isStored(interval.name)) {
      older.set(interval.name, { bars: [], gap: gapUpTo(to) })
      continue
    }
    try {
      older.set(interval.name, { bars: await history.page({ tag, symbol, interval }, start, to), gap: gapUpTo(start) })
    } catch (error) {
      if (!(error instanceof HistoryUnavailableError)) throw error
      log.warn({ symbol, interval: interval.name, reason: error.message }, 'closed bars are left out')
      older.set(interval.name, { bars: [], gap: gapUpTo(to) })
    }
  }
  return older
}
