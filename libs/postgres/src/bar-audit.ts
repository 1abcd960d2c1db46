import type { BarText } from '@chart/market'
import { columnsOf, ensureMonths, momentOf, WRITE_ROWS } from './bar-table.ts'
import type { Postgres } from './postgres.ts'

/**
 * What the comparison with the exchange's own bars asks of the table `bars`, and writes into it. Every write names the version of the
 * row that was compared, so that a bar which was corrected meanwhile is left alone.
 */

/** Bars made of trades and not compared yet, with `from` ≤ open time < `to`; the newest `limit` of them, newest first. */
export async function listUnverified(
  postgres: Postgres,
  range: { symbol: string; interval: string; from: number; to: number; limit: number },
): Promise<{ openTime: number; revision: number; lastTradeId: number }[]> {
  const { rows } = await postgres.query<{ open_ms: number; revision: number; last_trade_id: number }>({
    name: 'list-unverified',
    text: `
      SELECT (extract(epoch FROM open_time) * 1000)::bigint AS open_ms, revision, last_trade_id FROM bars
      WHERE state = 'closed' AND symbol = $1 AND interval = $2 AND open_time >= $3::timestamptz AND open_time < $4::timestamptz
      ORDER BY open_time DESC LIMIT $5`,
    values: [range.symbol, range.interval, momentOf(range.from), momentOf(range.to), range.limit],
  })
  return rows.map(row => ({ openTime: row.open_ms, revision: row.revision, lastTradeId: row.last_trade_id }))
}

/** How many bars with `from` ≤ open time < `to` have a proof: verified or imported. */
export async function countProven(
  postgres: Postgres,
  range: { symbol: string; interval: string; from: number; to: number },
): Promise<number> {
  const { rows } = await postgres.query<{ count: number }>({
    name: 'count-proven',
    text: `
      SELECT count(*) AS count FROM bars
      WHERE symbol = $1 AND interval = $2 AND open_time >= $3::timestamptz AND open_time < $4::timestamptz AND state <> 'closed'`,
    values: [range.symbol, range.interval, momentOf(range.from), momentOf(range.to)],
  })
  return rows[0]!.count
}

/** Open times of the oldest and the newest bar of a series; undefined when it has none. */
export async function seriesSpan(
  postgres: Postgres,
  symbol: string,
  interval: string,
): Promise<{ oldest: number; newest: number } | undefined> {
  const { rows } = await postgres.query<{ oldest: number | null; newest: number | null }>({
    name: 'series-span',
    text: `
      SELECT (extract(epoch FROM min(open_time)) * 1000)::bigint AS oldest,
        (extract(epoch FROM max(open_time)) * 1000)::bigint AS newest
      FROM bars WHERE symbol = $1 AND interval = $2`,
    values: [symbol, interval],
  })
  const { oldest, newest } = rows[0]!
  return oldest === null || newest === null ? undefined : { oldest, newest }
}

/** Marks bars as verified, except those that have another version by now. Gives how many were marked. */
export async function verifyBars(postgres: Postgres, bars: readonly BarText[]): Promise<number> {
  if (bars.length === 0) return 0
  const { rowCount } = await postgres.query({
    name: 'verify-bars',
    text: `
      UPDATE bars SET state = 'verified', updated_at = now()
      FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[], $5::bigint[])
        AS seen (symbol, interval, open_time, revision, last_trade_id)
      WHERE bars.symbol = seen.symbol AND bars.interval = seen.interval AND bars.open_time = seen.open_time
        AND bars.state = 'closed' AND bars.revision = seen.revision AND bars.last_trade_id = seen.last_trade_id`,
    values: [
      bars.map(bar => bar.symbol),
      bars.map(bar => bar.interval),
      bars.map(bar => momentOf(bar.openTime)),
      bars.map(bar => bar.revision),
      bars.map(bar => bar.lastTradeId),
    ],
  })
  return rowCount ?? 0
}

/**
 * Puts `right` into the row itself, whatever its version says, unless the row is another one than `seen` by now (undefined: there was
 * none). For rows that no newer version of their bar can reach: damaged ones, whose last trade id is beyond what the bar ever had, and
 * those of bars that their owner believes to be right. Its revision should be above the row's. Gives whether it was done.
 */
export async function mendRow(postgres: Postgres, seen: BarText | undefined, right: BarText): Promise<boolean> {
  await ensureMonths(postgres, [right])
  const { rowCount } = await postgres.query({
    name: 'mend-row',
    text: `${WRITE_ROWS}
      WHERE known.revision = $18::int AND known.last_trade_id = $19::bigint`,
    values: [...columnsOf([right]), seen?.revision ?? null, seen?.lastTradeId ?? null],
  })
  return rowCount === 1
}
