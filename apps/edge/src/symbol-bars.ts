import { type BarText, type Interval, liveBarsOf, textOfBar } from '@chart/market'
import { listBars, type Postgres } from '@chart/postgres'
import { barOfPendingValue, loadPartition, pendingFieldOf, pendingKey, type RedisCommands } from '@chart/redis'

/** The bars of one symbol as its last commit left them. */
export interface StoredBars {
  /** The partition's position when the reading began: every later one is told by an update. */
  readonly position: number
  /** Every trade up to this id is in the bars; −1 when there are none. */
  readonly throughTradeId: number
  /** Exchange time that the bars have reached. */
  readonly throughTime: number
  /** By interval: the live bar, and the newest closed ones, oldest first. */
  readonly series: ReadonlyMap<string, { readonly live: BarText | undefined; readonly closed: readonly BarText[] }>
}

/**
 * Reads the bars of one symbol: its state rather than its readable hashes, since the state has the live bars and those closed last in
 * two fields of one key, so that no commit can come between them.
 */
export async function readStoredBars(
  redis: RedisCommands,
  tag: string,
  symbol: string,
  intervals: readonly Interval[],
): Promise<StoredBars> {
  const loaded = await loadPartition(redis, tag, [symbol], intervals)
  const position = loaded.at.pos
  const bars = loaded.bars.get(symbol)
  if (bars === undefined) return { position, throughTradeId: -1, throughTime: 0, series: new Map() }
  const live = liveBarsOf(bars)
  const textOf = (bar: (typeof live)[number]) => bar && textOfBar(bar, bars.scales)
  return {
    position,
    throughTradeId: bars.lastTradeId,
    throughTime: bars.reachedTime,
    series: new Map(
      bars.series.map(({ interval, closed }, index) => [
        interval.name,
        { live: textOf(live[index]), closed: closed.map(bar => textOfBar(bar, bars.scales)) },
      ]),
    ),
  }
}

/** The longest run of closed bars that is looked for after updates were missed: two hours of minutes. */
const MISSED_BARS_MAX = 120

/**
 * Closed bars of one series that open from `from` up to and without `to`, the newest MISSED_BARS_MAX of them at most. A bar leaves the
 * outbox when PostgreSQL has it, so what is not found in the first is in the second.
 */
export async function readClosedBars(
  { redis, postgres }: { redis: RedisCommands; postgres: Postgres },
  series: { tag: string; symbol: string; interval: Interval },
  from: number,
  to: number,
): Promise<BarText[]> {
  const { tag, symbol, interval } = series
  const count = Math.min(MISSED_BARS_MAX, Math.floor((to - from) / interval.intervalMs))
  if (count <= 0) return []
  const start = to - count * interval.intervalMs
  const openTimes = Array.from({ length: count }, (_, index) => start + index * interval.intervalMs)
  const fields = openTimes.map(openTime => pendingFieldOf({ symbol, interval: interval.name, openTime }))
  const waiting = await redis.hmget(pendingKey(tag), ...fields)
  const stored = await listBars(postgres, {
    symbol,
    interval: interval.name,
    from: start,
    to,
    order: 'oldest',
    limit: count,
  })
  const bars = new Map(stored.map(bar => [bar.openTime, bar]))
  for (const value of waiting) {
    if (value === null) continue
    const bar = barOfPendingValue(value)
    bars.set(bar.openTime, bar)
  }
  return [...bars.values()].sort((a, b) => a.openTime - b.openTime)
}
