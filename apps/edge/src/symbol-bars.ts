import { encodeBar } from '@chart/grpc'
import { type BarText, type Interval, liveBarsOf, textOfBar } from '@chart/market'
import { loadPartition, type RedisCommands } from '@chart/redis'
import type { KeptBar } from './recent-bars.ts'
import { versionOf } from './series-event.ts'

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

/** A closed bar that was read, ready to be told. */
export function closedBarOf(bar: BarText): KeptBar {
  return { version: versionOf(bar), bar: encodeBar(bar) }
}
