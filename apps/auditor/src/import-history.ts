import { barOfKline, type ExchangeRest } from '@chart/binance'
import { type Interval, openTimeOf } from '@chart/market'
import { type Postgres, seriesSpan, upsertBars } from '@chart/postgres'
import type { Log } from '@chart/service'
import type { Metrics } from './metrics.ts'

/** Klines of one call, the exchange's maximum. */
export const KLINES_MAX = 1_000

/**
 * A series whose oldest bar is younger than this has just begun, and is given history as an empty one is. An older one is left alone,
 * since what is not there any more was taken out on purpose (retention).
 */
const BEGUN_MS = 3_600_000
const BEGUN_BARS = 2

export interface ImportOptions {
  readonly symbol: string
  readonly interval: Interval
  /** How many bars before now the series should have at least. */
  readonly importBars: number
  /** The exchange's clock, less what a kline may take to be final. */
  readonly closedTime: number
  readonly rest: Pick<ExchangeRest, 'klines'>
  readonly postgres: Postgres
  readonly metrics: Pick<Metrics, 'imported'>
  readonly log: Log
}

/** Gives a new series the exchange's own bars of the time before it, the newest first, marked as imported. */
export async function importHistory(options: ImportOptions): Promise<void> {
  const { symbol, interval, importBars, closedTime, rest, postgres, metrics, log } = options
  const { name, intervalMs } = interval
  const span = await seriesSpan(postgres, symbol, name)
  const begunSince = closedTime - Math.max(BEGUN_MS, BEGUN_BARS * intervalMs)
  if (span !== undefined && span.oldest < begunSince) return
  const end = openTimeOf(interval, closedTime)
  const from = Math.max(0, end - importBars * intervalMs)
  let written = 0
  for (let to = Math.min(end, span?.oldest ?? end); to > from; to -= KLINES_MAX * intervalMs) {
    const startTime = Math.max(from, to - KLINES_MAX * intervalMs)
    const klines = await rest.klines(symbol, name, { startTime, endTime: to - 1, limit: KLINES_MAX })
    // The exchange's own history ends here.
    if (klines.length === 0) break
    written += (
      await upsertBars(
        postgres,
        klines.map(kline => barOfKline(symbol, name, kline)),
      )
    ).written
  }
  metrics.imported.inc(written)
  if (written > 0)
    log.info({ symbol, interval: name, bars: written }, "history taken over from the exchange's own bars")
}
