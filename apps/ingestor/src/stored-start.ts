import { type BarStateText, closedTextOf, liveTextOf, type Scales, symbolBarsOfMinutes } from '@chart/market'
import { listBars, type Postgres } from '@chart/postgres'

/** A day and an hour: the longest interval is a day, and its bar begins with the day. */
const MINUTES_MAX = 25 * 60

/** Where a symbol's log can go on when Redis has lost it: after the bars that are stored. */
export interface StoredStart {
  readonly lastTradeId: number
  readonly sinceTime: number
  readonly begun: BarStateText
}

/**
 * Where the stored bars of `symbol` end; undefined when there are none that say which trade comes next.
 * @throws PostgresUnavailableError
 */
export async function readStoredStart(
  postgres: Postgres,
  symbol: string,
  scales: Scales,
): Promise<StoredStart | undefined> {
  const newest = await listBars(postgres, { symbol, interval: '1m', order: 'newest', limit: MINUTES_MAX })
  const bars = symbolBarsOfMinutes(symbol, scales, newest.reverse())
  if (bars === undefined) return undefined
  const begun = { live: liveTextOf(bars), closed: closedTextOf(bars) }
  return { lastTradeId: bars.lastTradeId, sinceTime: bars.sinceTime, begun }
}
