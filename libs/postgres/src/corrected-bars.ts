import type { BarText } from '@chart/market'
import { BAR_COLUMNS, type BarRow, barOfRow } from './bar-table.ts'
import type { Postgres } from './postgres.ts'

/** A part of one series. */
export interface CorrectionRange {
  readonly symbol: string
  readonly interval: string
  /** Open times from here on, inclusive. */
  readonly from: number
  /** Open times before this, exclusive. */
  readonly to: number
}

/** Corrections are rare; more of them in one answer than this are left out, the oldest first. */
const CORRECTIONS_MAX = 10_000

/** The bars of these series that were corrected after they closed: oldest first for each series. */
export async function listCorrections(postgres: Postgres, ranges: readonly CorrectionRange[]): Promise<BarText[]> {
  const { rows } = await postgres.query<BarRow>({
    name: 'list-corrections',
    text: CORRECTED,
    values: [
      ranges.map(range => range.symbol),
      ranges.map(range => range.interval),
      ranges.map(range => new Date(range.from).toISOString()),
      ranges.map(range => new Date(range.to).toISOString()),
      CORRECTIONS_MAX,
    ],
  })
  return rows.map(barOfRow).reverse()
}

// By the index bars_corrected: bars that closed well are not looked at.
const CORRECTED = `
  SELECT ${BAR_COLUMNS}
  FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS wanted (symbol, interval, from_time, to_time)
    JOIN bars USING (symbol, interval)
  WHERE revision > 0 AND open_time >= from_time AND open_time < to_time
  ORDER BY open_time DESC LIMIT $5`
