import { barOfKline, differencesOf, type ExchangeRest, type Kline } from '@chart/binance'
import type { BarText, Interval, Scales } from '@chart/market'
import { listBars, mendRow, type Postgres, upsertBars, verifyBars } from '@chart/postgres'
import { LogUnseededError, pendingFieldOf, pendingKey, type RedisCommands } from '@chart/redis'
import type { Log } from '@chart/service'
import type { Doubts } from './doubts.ts'
import type { WrongBar } from './judge-range.ts'
import type { KlineIds } from './kline-ids.ts'
import type { Metrics } from './metrics.ts'
import { rebuildBar } from './rebuild-bar.ts'

/** Bars of one series made anew in one turn: the others have theirs, and the budget is for all. The rest waits for the next turn. */
const REPAIRS_MAX = 20

/**
 * A missing bar whose end is longer ago is taken over from the exchange's own instead of being made out of its trades: whatever lost
 * an hour of bars lost them for every symbol, and their trades would take the budget of hours.
 */
const REBUILT_WITHIN_MS = 3_600_000
/** Of one series and turn; what is older than these is taken over too. */
const REBUILT_MISSING_MAX = 10

/** From this look on a thing counts as so: at the first look the exchange's servers may not agree yet. */
const CONFIRMED_LOOKS = 1

export interface RepairOptions {
  readonly symbol: string
  readonly interval: Interval
  readonly scales: Scales
  /** The symbol's partition; undefined while it is not served. */
  readonly tag: string | undefined
  /** The exchange's clock, less what a kline may take to be final. */
  readonly closedTime: number
  readonly redis: RedisCommands
  readonly postgres: Postgres
  readonly rest: ExchangeRest
  readonly ids: KlineIds
  readonly doubts: Doubts
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** Hands the bar's owner a bar that was made anew, see appendRestatement. */
  restate(tag: string, bar: BarText): Promise<void>
}

/** Tells one state of a row from another. */
export function versionOf(row: Pick<BarText, 'revision' | 'lastTradeId'> | undefined): string {
  return row === undefined ? 'none' : `${row.revision}/${row.lastTradeId}`
}

/** Makes the newest of `wrong` anew. */
export async function repairWrong(wrong: readonly WrongBar[], options: RepairOptions): Promise<void> {
  const { symbol, interval, doubts, metrics, log } = options
  for (const { row, kline, differences } of wrong.toReversed().slice(0, REPAIRS_MAX)) {
    if (doubts.looks(row.openTime, versionOf(row)) === 0) {
      const fields = differences.length > 0 ? differences.map(({ field }) => field) : (['complete'] as const)
      for (const field of fields) metrics.differences.inc({ field })
      const openTime = new Date(row.openTime).toISOString()
      log.warn(
        { symbol, interval: interval.name, openTime, differences, complete: row.complete },
        'a bar is not as the exchange has it',
      )
    }
    await repair(kline, row, options)
  }
}

/**
 * Puts in what is stored nowhere: the newest bars made of their trades, the others taken over.
 * @param range that `missing` was found in
 */
export async function repairMissing(
  missing: readonly Kline[],
  range: { symbol: string; interval: string; from: number; to: number; order: 'oldest'; limit: number },
  options: RepairOptions,
): Promise<void> {
  const { symbol, interval, closedTime, postgres, metrics, log } = options
  const lost = await lostOf(missing, range, options)
  if (lost.length === 0) return
  const isYoung = ({ openTime }: Kline) => openTime + interval.intervalMs > closedTime - REBUILT_WITHIN_MS
  const rebuilt = lost.filter(isYoung).slice(-REBUILT_MISSING_MAX)
  const takenOver = lost.filter(kline => !rebuilt.includes(kline))
  const unseen = lost.filter(({ openTime }) => options.doubts.looks(openTime, versionOf(undefined)) === 0)
  metrics.missing.inc(unseen.length)
  const first = new Date(lost[0]!.openTime).toISOString()
  log.warn(
    { symbol, interval: interval.name, bars: lost.length, takenOver: takenOver.length, first },
    'bars are missing',
  )
  const bars = takenOver.map(kline => barOfKline(symbol, interval.name, kline))
  metrics.imported.inc((await upsertBars(postgres, bars)).written)
  for (const kline of rebuilt.toReversed()) await repair(kline, undefined, options)
}

/** Those that are neither stored nor on their way: looked for in the outbox first, since a bar leaves it only when it is stored. */
async function lostOf(
  missing: readonly Kline[],
  range: Parameters<typeof repairMissing>[1],
  { symbol, interval, tag, redis, postgres, doubts }: RepairOptions,
): Promise<Kline[]> {
  if (missing.length === 0) return []
  const fields = missing.map(({ openTime }) => pendingFieldOf({ symbol, interval: interval.name, openTime }))
  const pending = tag === undefined ? [] : await redis.hmget(pendingKey(tag), ...fields)
  const stored = new Set((await listBars(postgres, range)).map(({ openTime }) => openTime))
  return missing.filter(({ openTime }, index) => {
    const isOnItsWay = typeof pending[index] === 'string' || stored.has(openTime)
    if (isOnItsWay) doubts.postpone(openTime, versionOf(undefined), Date.now())
    return !isOnItsWay
  })
}

/** They are said and left: the bar says truly that nothing was traded, and clients may have it. */
export function reportSurplus(surplus: readonly BarText[], options: RepairOptions): void {
  const { symbol, interval, doubts, metrics, log } = options
  const confirmed = surplus.filter(row => doubts.looks(row.openTime, versionOf(row)) === CONFIRMED_LOOKS)
  for (const row of surplus) doubts.note(row.openTime, versionOf(row), Date.now())
  if (confirmed.length === 0) return
  metrics.surplus.inc(confirmed.length)
  const first = new Date(confirmed[0]!.openTime).toISOString()
  log.warn({ symbol, interval: interval.name, bars: confirmed.length, first }, 'the exchange does not have these bars')
}

/**
 * Makes one bar anew and brings it where it belongs: through the log to its owner, who publishes it as a correction. When that has not
 * changed the row by the next look, the row alone is wrong (its owner has the bar right already) or cannot be reached by a version of
 * the bar, and it is mended itself.
 */
async function repair(kline: Kline, row: BarText | undefined, options: RepairOptions): Promise<void> {
  const { postgres, doubts, metrics, tag } = options
  const { openTime } = kline
  const version = versionOf(row)
  const looks = doubts.looks(openTime, version)
  const right = await rebuildBar(kline, options)
  if (right === undefined || differencesOf(right, kline).length > 0) {
    if (looks === CONFIRMED_LOOKS) sayUnexplained(kline, row, right, options)
  } else if (row !== undefined && isSameBar(row, right)) {
    // Only the stream's ids differed, or the exchange itself has a hole in the bar: its trades say that ours is right.
    metrics.verified.inc(await verifyBars(postgres, [row]))
    doubts.clear(openTime)
    return
  } else {
    const revision = row?.revision ?? 0
    if (looks === 0 && tag !== undefined && (await isRestated(tag, { ...right, revision }, options))) {
      metrics.repairs.inc({ by: 'log' })
    } else if (await mendRow(postgres, row, { ...right, revision: revision + 1 })) metrics.repairs.inc({ by: 'row' })
  }
  doubts.note(openTime, version, Date.now())
}

function isSameBar(a: BarText, b: BarText): boolean {
  return a.complete === b.complete && differencesOf(a, b, b).length === 0
}

/** False when there is no log yet that could take the bar. */
async function isRestated(tag: string, bar: BarText, { restate, log }: RepairOptions): Promise<boolean> {
  try {
    await restate(tag, bar)
    return true
  } catch (error) {
    if (!(error instanceof LogUnseededError)) throw error
    log.info({ tag, reason: error.message }, 'a bar is mended where it is stored, and not published')
    return false
  }
}

function sayUnexplained(
  kline: Kline,
  row: BarText | undefined,
  rebuilt: BarText | undefined,
  { symbol, interval, metrics, log }: RepairOptions,
): void {
  metrics.unexplained.inc()
  log.warn(
    {
      symbol,
      interval: interval.name,
      openTime: new Date(kline.openTime).toISOString(),
      stored: row && differencesOf(row, kline),
      trades: rebuilt && differencesOf(rebuilt, kline),
    },
    "the exchange's trades give another bar than its own; left as it is",
  )
}
