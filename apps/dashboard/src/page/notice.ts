import type { HeldSeries } from './held-series.ts'

/** What a chart says about its history where that is not simply there; undefined: nothing. */
export function noticeOf(
  { history, older, isFirst, bars }: Pick<HeldSeries, 'history' | 'older' | 'isFirst' | 'bars'>,
  isOldestInSight: boolean,
): string | undefined {
  if (history === 'unavailable') return 'History unavailable'
  if (older === 'failed' && isOldestInSight) return 'History unavailable'
  if (history === 'loading' && bars.length <= 1) return 'Loading history …'
  if (!isOldestInSight) return undefined
  // Whether there are bars before the first one by now is asked again and again: no news.
  if (isFirst) return 'First bar'
  return older === 'loading' ? 'Loading older bars …' : undefined
}
