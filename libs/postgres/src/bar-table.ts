import { type BarProof, type BarText, intervalOf } from '@chart/market'
import { sqlStateOf } from './errors.ts'
import type { Postgres } from './postgres.ts'

/**
 * Bars as rows of the table `bars`, and rows as bars. What is written twice, late or out of order changes nothing: of one
 * bar the newest version wins, wherever it comes from and in whatever order versions arrive.
 */

/** Bars of one statement. 500 write at 170,000–213,000 rows per CPU-second, 100 at 0.8 of that; more gains little. */
const UPSERT_BARS_MAX = 500
/** Bars of one read: about 3 MB of text, far above a page. */
export const LIST_BARS_MAX = 10_000

/**
 * Writes rows, whatever they replace: the statement ends with a WHERE that says which of the known ones give way. The order of the columns
 * is the order of the parameters of columnsOf.
 */
export const WRITE_ROWS = `
  INSERT INTO bars AS known (
    symbol, interval, open_time, open, high, low, close, base_volume, quote_volume, taker_buy_base_volume,
    taker_buy_quote_volume, trade_count, first_trade_id, last_trade_id, revision, complete, state
  )
  SELECT * FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::numeric[], $11::numeric[], $12::int[], $13::bigint[], $14::bigint[], $15::int[], $16::boolean[],
    $17::text[]
  )
  ON CONFLICT (symbol, interval, open_time) DO UPDATE SET
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    base_volume = excluded.base_volume, quote_volume = excluded.quote_volume,
    taker_buy_base_volume = excluded.taker_buy_base_volume, taker_buy_quote_volume = excluded.taker_buy_quote_volume,
    trade_count = excluded.trade_count, first_trade_id = excluded.first_trade_id, last_trade_id = excluded.last_trade_id,
    revision = excluded.revision, complete = excluded.complete, state = excluded.state, updated_at = now()`

/**
 * Newest means: made of trades before imported; then saw the later trade; then has more trades; then the higher revision; then complete
 * before not. Revisions decide between versions with the same trades, such as
 * a flat bar that repeats another price, or a bar whose completeness was taken back. More trades come before them, and completeness
 * decides between equal ones, for a Redis that lost its memory, begins revisions anew and may lack the first trades of a bar. As this
 * orders all versions, any order of arrival ends with the same row.
 */
const UPSERT = `${WRITE_ROWS}
  WHERE (known.state <> 'imported', known.last_trade_id, known.trade_count, known.revision, known.complete)
    < (excluded.state <> 'imported', excluded.last_trade_id, excluded.trade_count, excluded.revision, excluded.complete)`

/** The same order in JavaScript: below 0 when `a` is the older version of the bar. */
function compareVersions(a: BarText, b: BarText): number {
  return (
    Number(a.proof !== 'imported') - Number(b.proof !== 'imported') ||
    a.lastTradeId - b.lastTradeId ||
    a.tradeCount - b.tradeCount ||
    a.revision - b.revision ||
    Number(a.complete) - Number(b.complete)
  )
}

/**
 * Writes closed bars; those that the table has in the same or a newer version change nothing.
 * `written` counts the rows that are new or changed. When it resolves, the bars are on disk.
 */
export async function upsertBars(postgres: Postgres, bars: readonly BarText[]): Promise<{ written: number }> {
  const rows = newestVersions(bars)
  let written = 0
  for (let start = 0; start < rows.length; start += UPSERT_BARS_MAX) {
    written += await upsertBatch(postgres, rows.slice(start, start + UPSERT_BARS_MAX))
  }
  return { written }
}

/**
 * One bar per identity, since a statement cannot touch a row twice; in the order of the key, so that two writers of the
 * same bars wait for each other instead of deadlocking.
 */
function newestVersions(bars: readonly BarText[]): BarText[] {
  const newest = new Map<string, BarText>()
  for (const bar of bars) {
    const key = `${bar.symbol}|${bar.interval}|${bar.openTime}`
    const known = newest.get(key)
    if (known === undefined || compareVersions(known, bar) < 0) newest.set(key, bar)
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bar]) => bar)
}

async function upsertBatch(postgres: Postgres, bars: readonly BarText[]): Promise<number> {
  const statement = { name: 'upsert-bars', text: UPSERT, values: columnsOf(bars) }
  await ensureMonths(postgres, bars)
  try {
    return (await postgres.query(statement)).rowCount ?? 0
  } catch (error) {
    if (!isMissingMonth(error)) throw error
    // A month that we have seen was dropped since, by hand or by retention.
    knownMonths.delete(postgres)
    await ensureMonths(postgres, bars)
    return (await postgres.query(statement)).rowCount ?? 0
  }
}

export function columnsOf(bars: readonly BarText[]): unknown[][] {
  return [
    bars.map(bar => bar.symbol),
    bars.map(bar => bar.interval),
    bars.map(bar => momentOf(bar.openTime)),
    bars.map(bar => bar.open),
    bars.map(bar => bar.high),
    bars.map(bar => bar.low),
    bars.map(bar => bar.close),
    bars.map(bar => bar.baseVolume),
    bars.map(bar => bar.quoteVolume),
    bars.map(bar => bar.takerBuyBaseVolume),
    bars.map(bar => bar.takerBuyQuoteVolume),
    bars.map(bar => bar.tradeCount),
    bars.map(bar => bar.firstTradeId),
    bars.map(bar => bar.lastTradeId),
    bars.map(bar => bar.revision),
    bars.map(bar => bar.complete),
    bars.map(bar => bar.proof ?? bar.state),
  ]
}

/** Months (`2024-08`) whose partition each pool has seen, so that only the first bar of a month asks for it. */
const knownMonths = new WeakMap<Postgres, Set<string>>()

export async function ensureMonths(postgres: Postgres, bars: readonly BarText[]): Promise<void> {
  const known = knownMonths.get(postgres) ?? new Set()
  knownMonths.set(postgres, known)
  for (const bar of bars) {
    const moment = momentOf(bar.openTime)
    const month = moment.slice(0, 'YYYY-MM'.length)
    if (known.has(month)) continue
    await postgres.query({ text: 'SELECT ensure_bar_month($1)', values: [moment] })
    known.add(month)
  }
}

/** 23514 is a broken check as well as "no partition found for row"; only the former names the constraint. */
function isMissingMonth(error: unknown): boolean {
  return sqlStateOf(error) === '23514' && (error as { constraint?: string }).constraint === undefined
}

export interface BarRange {
  readonly symbol: string
  readonly interval: string
  /** Open times from here on, inclusive. */
  readonly from?: number
  /** Open times before this, exclusive. */
  readonly to?: number
  readonly order: 'oldest' | 'newest'
  /** 1 … LIST_BARS_MAX. */
  readonly limit: number
  /** Open time of the last bar of the page before: the next page begins after it, in the order asked for. */
  readonly after?: number
}

/** Bars of one series in order of their open time. */
export async function listBars(postgres: Postgres, range: BarRange): Promise<BarText[]> {
  if (!Number.isInteger(range.limit) || range.limit < 1 || range.limit > LIST_BARS_MAX) {
    throw new RangeError(`limit must be a whole number from 1 to ${LIST_BARS_MAX}, not ${range.limit}`)
  }
  const { order, after } = range
  const from = Math.max(range.from ?? -Infinity, order === 'oldest' && after !== undefined ? after + 1 : -Infinity)
  const to = Math.min(range.to ?? Infinity, order === 'newest' && after !== undefined ? after : Infinity)
  const { rows } = await postgres.query<BarRow>({
    name: `list-bars-${order}`,
    text: order === 'oldest' ? `${LIST} ASC LIMIT $5` : `${LIST} DESC LIMIT $5`,
    values: [range.symbol, range.interval, momentOf(from), momentOf(to), range.limit],
  })
  return rows.map(barOfRow)
}

/** What barOfRow reads. */
export const BAR_COLUMNS = `symbol, interval, (extract(epoch FROM open_time) * 1000)::bigint AS open_ms, open, high, low, close,
    base_volume, quote_volume, taker_buy_base_volume, taker_buy_quote_volume, trade_count, first_trade_id, last_trade_id,
    revision, complete, state`

const LIST = `
  SELECT ${BAR_COLUMNS}
  FROM bars WHERE symbol = $1 AND interval = $2 AND open_time >= $3::timestamptz AND open_time < $4::timestamptz
  ORDER BY open_time`

export interface BarRow {
  readonly symbol: string
  readonly interval: string
  readonly open_ms: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly base_volume: string
  readonly quote_volume: string
  readonly taker_buy_base_volume: string
  readonly taker_buy_quote_volume: string
  readonly trade_count: number
  readonly first_trade_id: number
  readonly last_trade_id: number
  readonly revision: number
  readonly complete: boolean
  readonly state: 'closed' | BarProof
}

/** Every row is a closed bar: `verified` and `imported` say how we know it, not how it stands. */
export function barOfRow(row: BarRow): BarText {
  return {
    symbol: row.symbol,
    interval: row.interval,
    openTime: row.open_ms,
    closeTime: row.open_ms + intervalOf(row.interval).intervalMs - 1,
    open: row.open,
    high: row.high,
    low: row.low,
    close: row.close,
    baseVolume: row.base_volume,
    quoteVolume: row.quote_volume,
    takerBuyBaseVolume: row.taker_buy_base_volume,
    takerBuyQuoteVolume: row.taker_buy_quote_volume,
    tradeCount: row.trade_count,
    firstTradeId: row.first_trade_id,
    lastTradeId: row.last_trade_id,
    state: 'closed',
    revision: row.revision,
    complete: row.complete,
    ...(row.state !== 'closed' && { proof: row.state }),
  }
}

/** How many rows the table has. Counts them, which takes 50 ms for a million: for a developer's screen, not for a loop. */
export async function countBars(postgres: Postgres): Promise<number> {
  const { rows } = await postgres.query<{ count: number }>({ text: 'SELECT count(*) AS count FROM bars' })
  return rows[0]!.count
}

/** The newest open time of each symbol that has bars of `interval`, by symbol. */
export async function newestBars(
  postgres: Postgres,
  interval: string,
): Promise<{ symbol: string; openTime: number }[]> {
  const { rows } = await postgres.query<{ symbol: string; open_ms: number }>({
    name: 'newest-bars',
    text: NEWEST,
    values: [interval],
  })
  return rows.map(row => ({ symbol: row.symbol, openTime: row.open_ms }))
}

/** Jumps from symbol to symbol along the primary key, and to the end of each: a few index probes instead of a scan. */
const NEWEST = `
  WITH RECURSIVE symbols AS (
    (SELECT symbol FROM bars ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT (SELECT bars.symbol FROM bars WHERE bars.symbol > symbols.symbol ORDER BY bars.symbol LIMIT 1)
    FROM symbols WHERE symbols.symbol IS NOT NULL
  )
  SELECT symbols.symbol, (extract(epoch FROM newest.open_time) * 1000)::bigint AS open_ms
  FROM symbols CROSS JOIN LATERAL (
    SELECT open_time FROM bars WHERE bars.symbol = symbols.symbol AND bars.interval = $1
    ORDER BY open_time DESC LIMIT 1
  ) AS newest
  ORDER BY symbols.symbol`

const YEAR_1 = Date.parse('0001-01-01T00:00:00Z')
const YEAR_10000 = Date.UTC(10_000, 0, 1)

/** A moment as PostgreSQL reads it. Beyond the years of four digits, where the two write dates differently, it is no end. */
export function momentOf(time: number): string {
  if (time < YEAR_1) return '-infinity'
  if (time >= YEAR_10000) return 'infinity'
  return new Date(time).toISOString()
}
