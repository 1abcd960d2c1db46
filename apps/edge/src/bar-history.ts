import type { BarText, Interval } from '@chart/market'
import { listBars, listCorrections, type Postgres } from '@chart/postgres'
import { barOfPendingValue, pendingFieldOf, pendingKey, type RedisCommands, scanPending } from '@chart/redis'
import { seriesKeyOf } from './series-event.ts'
import { SharedRuns } from './shared-runs.ts'
import { isNewer } from './told-bars.ts'
import { TurnLimit } from './turn-limit.ts'

/** Bars of one page: a question to Redis and one to PostgreSQL of some milliseconds each. */
export const HISTORY_PAGE_BARS = 1_000
/** Pages that are read at a time, for all clients: as many as PostgreSQL has connections of ours. The others wait for their turn. */
const READS_MAX = 4

/** A series, and where its closed bars wait for PostgreSQL. */
export interface HistorySeries {
  readonly tag: string
  readonly symbol: string
  readonly interval: Interval
}

/** A series, and from where up to and without where corrections of it are looked for. */
export interface CorrectedSeries extends HistorySeries {
  readonly from: number
  readonly to: number
}

export interface BarHistoryOptions {
  readonly redis: RedisCommands
  readonly postgres: Postgres
  /** Intervals whose closed bars PostgreSQL has. */
  readonly storedIntervals: ReadonlySet<string>
}

/** The outbox says nothing of these bars, and PostgreSQL cannot be asked. */
export class HistoryUnavailableError extends Error {
  override name = 'HistoryUnavailableError'
}

/**
 * Closed bars from before those that this edge has in hand. A bar leaves the outbox when PostgreSQL has it, so what is not found in
 * the first is in the second, and that is the order in which they are asked. Clients that want the same at the same time share it.
 */
export class BarHistory {
  readonly #options: BarHistoryOptions
  readonly #reads = new TurnLimit(READS_MAX)
  readonly #reading = new Map<string, Promise<BarText[]>>()
  readonly #scans = new SharedRuns((tag: string) => this.#scanCorrections(tag))

  constructor(options: BarHistoryOptions) {
    this.#options = options
  }

  /** Whether the closed bars of an interval are kept at all. */
  isStored(interval: string): boolean {
    return this.#options.storedIntervals.has(interval)
  }

  /**
   * Closed bars of one series that open from `from` up to and without `to`, oldest first.
   * @param to at most HISTORY_PAGE_BARS after `from`
   * @throws HistoryUnavailableError; an error of Redis
   */
  page(series: HistorySeries, from: number, to: number): Promise<BarText[]> {
    const key = `${series.symbol}|${series.interval.name}|${from}|${to}`
    let reading = this.#reading.get(key)
    if (reading === undefined) {
      reading = this.#read(series, from, to).finally(() => this.#reading.delete(key))
      this.#reading.set(key, reading)
    }
    return reading
  }

  async #read(series: HistorySeries, from: number, to: number): Promise<BarText[]> {
    const openTimes = openTimesOf(series.interval, from, to)
    const bars = await this.waiting(series, openTimes)
    // While PostgreSQL is away the bars since then are all in the outbox, and a stream can go on without it.
    if (bars.size === openTimes.length) return [...bars.values()]
    return mergedOf(await this.list(series, from, to, 'oldest', openTimes.length), bars.values())
  }

  /**
   * Stored bars of a range, in order.
   * @throws HistoryUnavailableError
   */
  list(
    { symbol, interval }: HistorySeries,
    from: number,
    to: number,
    order: 'oldest' | 'newest',
    limit: number,
  ): Promise<BarText[]> {
    const range = { symbol, interval: interval.name, from, to, order, limit }
    return this.#reads.run(() => listBars(this.#options.postgres, range).catch(unavailable))
  }

  /** Those of the bars that wait for PostgreSQL in the outbox, by openTime. */
  async waiting({ tag, symbol, interval }: HistorySeries, openTimes: readonly number[]): Promise<Map<number, BarText>> {
    if (openTimes.length === 0 || !this.isStored(interval.name)) return new Map()
    const fields = openTimes.map(openTime => pendingFieldOf({ symbol, interval: interval.name, openTime }))
    const values = await this.#options.redis.hmget(pendingKey(tag), ...fields)
    const bars = values.flatMap(value => (value === null ? [] : [barOfPendingValue(value)]))
    return new Map(bars.map(bar => [bar.openTime, bar]))
  }

  /**
   * Bars that were corrected, stored or still in the outbox: oldest first for each series. Without PostgreSQL those of the outbox
   * are all; who corrects older bars needs it as well.
   */
  async corrections(series: readonly CorrectedSeries[]): Promise<BarText[]> {
    const ranges = series.map(({ symbol, interval, from, to }) => ({ symbol, interval: interval.name, from, to }))
    const waiting = await this.#waitingCorrections(series)
    const stored = await this.#reads
      .run(() => listCorrections(this.#options.postgres, ranges).catch(unavailable))
      .catch((error): BarText[] => {
        if (error instanceof HistoryUnavailableError) return []
        throw error
      })
    const bySeries = Map.groupBy([...stored, ...waiting], bar => seriesKeyOf(bar.symbol, bar.interval))
    return [...bySeries.values()].flatMap(bars => mergedOf([], bars))
  }

  async #waitingCorrections(series: readonly CorrectedSeries[]): Promise<BarText[]> {
    const wanted = new Map(series.map(one => [seriesKeyOf(one.symbol, one.interval.name), one]))
    const waiting = await Promise.all([...new Set(series.map(one => one.tag))].map(tag => this.#scans.run(tag)))
    return waiting.flat().filter(({ symbol, interval, openTime }) => {
      const range = wanted.get(seriesKeyOf(symbol, interval))
      return range !== undefined && openTime >= range.from && openTime < range.to
    })
  }

  /** The whole outbox of a partition is looked through: it is as good as empty while PostgreSQL answers. */
  async #scanCorrections(tag: string): Promise<BarText[]> {
    const bars: BarText[] = []
    for await (const entries of scanPending(this.#options.redis, tag, HISTORY_PAGE_BARS)) {
      for (const [, value] of entries) {
        const bar = barOfPendingValue(value)
        if (bar.revision > 0) bars.push(bar)
      }
    }
    return bars
  }
}

/** Open times from `from` up to and without `to`. */
export function openTimesOf({ intervalMs }: Interval, from: number, to: number): number[] {
  const first = Math.ceil(from / intervalMs) * intervalMs
  return Array.from(
    { length: Math.max(0, Math.ceil((to - first) / intervalMs)) },
    (_, index) => first + index * intervalMs,
  )
}

/** The newest version of each bar, oldest bar first. */
export function mergedOf(stored: readonly BarText[], waiting: Iterable<BarText>): BarText[] {
  const bars = new Map(stored.map(bar => [bar.openTime, bar]))
  for (const bar of waiting) {
    const known = bars.get(bar.openTime)
    if (known === undefined || isNewer(bar, known)) bars.set(bar.openTime, bar)
  }
  return [...bars.values()].sort((a, b) => a.openTime - b.openTime)
}

function unavailable(error: Error): never {
  throw new HistoryUnavailableError(`stored bars cannot be read: ${error.message}`, { cause: error })
}
