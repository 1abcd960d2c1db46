import { type RpcCode, RpcError } from '@chart/grpc'
import { type BarHistory, HISTORY_PAGE_BARS, HistoryUnavailableError } from './bar-history.ts'
import { ClientBars } from './client-bars.ts'
import type { KeyedEvent } from './keyed-event.ts'
import type { EdgeLimits } from './limits.ts'
import type { KeptBar } from './recent-bars.ts'
import { closedEventOf, gapEventOf, seriesKeyOf } from './series-event.ts'
import type { WantedSeries } from './stream-request.ts'
import type { Subscriber } from './subscriber.ts'
import { closedBarOf } from './symbol-bars.ts'
import type { KnownSeries } from './watched-symbol.ts'

/** Bars before a client's position among which corrections that it missed are looked for: most of a day of minutes. */
const CORRECTED_LOOKBACK_BARS = 1_000

/** One series of a call that begins in the past. */
export interface JoiningSeries extends WantedSeries {
  readonly client: ClientBars
  /** What was known when the call began to be told of changes. */
  readonly known: KnownSeries
  /** The first bar that the client may lack. */
  readonly from: number
  /** Corrections of bars before `from` are to be looked for from here on; undefined: all of them are known here. */
  readonly correctedFrom: number | undefined
}

/**
 * What a series of a call that begins in the past has to be told before its live bar.
 * @param startTime as the call says it; undefined only where the series has a position
 * @param hasCorrections whether every correction since the position is known here
 */
export function joiningSeriesOf(
  wanted: WantedSeries,
  known: KnownSeries,
  startTime: number | undefined,
  hasCorrections: boolean,
): JoiningSeries {
  const { position, interval } = wanted
  const first = startTime ?? Number.NEGATIVE_INFINITY
  const from = Math.max(position?.newest.openTime ?? first, first)
  const lookback = from - CORRECTED_LOOKBACK_BARS * interval.intervalMs
  const correctedFrom = position === undefined || hasCorrections ? undefined : Math.max(first, lookback, 0)
  return { ...wanted, client: new ClientBars(position), known, from, correctedFrom }
}

/**
 * Writes to a subscriber that is held what it lacks of the past, series by series: the closed bars that open from `from` on, and the
 * corrections of those before.
 * @param startTime no bar that opens before it is told
 * @throws RpcError when it is too much, or cannot be read now
 */
export async function tellHistory(
  subscriber: Subscriber,
  series: readonly JoiningSeries[],
  startTime: number | undefined,
  { history, limits }: { history: BarHistory; limits: EdgeLimits },
): Promise<void> {
  checkLength(series, history, limits)
  try {
    const corrections = await readCorrections(series, history)
    let events: KeyedEvent[] = []
    for (const one of series) {
      const told = (bars: readonly KeptBar[]) => bars.flatMap(bar => eventOf(one, bar, startTime) ?? [])
      // Those of bars that the client lacks altogether have their place among the others.
      const corrected = one.known.corrected.filter(({ version }) => version.openTime < one.from)
      events.push(...told(corrections.get(one.key) ?? []), ...told(corrected))
      for await (const page of missingPages(one, history)) {
        if (subscriber.isGone) return
        events.push(...page.gap, ...told(page.bars))
        if (events.length < HISTORY_PAGE_BARS) continue
        await subscriber.tell(events)
        events = []
      }
      // A page is shared with who asked for it a moment before: it may be older than what is known here. What was told as a gap stays one.
      if (history.isStored(one.interval.name)) events.push(...told(one.known.corrected))
      events.push(...told(one.known.run))
    }
    await subscriber.tell(events)
  } catch (error) {
    if (!(error instanceof HistoryUnavailableError)) throw error
    throw refusal('UNAVAILABLE', 'the closed bars cannot be read now; call again, or without start_time and positions')
  }
}

function eventOf({ key, client }: JoiningSeries, { version, bar }: KeptBar, startTime = 0): KeyedEvent | undefined {
  if (version.openTime < startTime) return undefined
  const telling = client.tellingOf(version)
  return telling && { key, event: closedEventOf(telling, version, bar) }
}

/** Corrections that are not known here, by series key. */
async function readCorrections(
  series: readonly JoiningSeries[],
  history: BarHistory,
): Promise<Map<string, readonly KeptBar[]>> {
  const asked = series.filter(one => one.correctedFrom !== undefined && history.isStored(one.interval.name))
  if (asked.length === 0) return new Map()
  const bars = await history.corrections(asked.map(one => ({ ...one, from: one.correctedFrom!, to: one.from })))
  const bySeries = Map.groupBy(bars, bar => seriesKeyOf(bar.symbol, bar.interval))
  return new Map([...bySeries].map(([key, list]) => [key, list.map(closedBarOf)]))
}

/** Pages of the closed bars from before those known here, with the gap that is left of them. */
async function* missingPages(
  one: JoiningSeries,
  history: BarHistory,
): AsyncGenerator<{ bars: readonly KeptBar[]; gap: KeyedEvent[] }> {
  const { key, symbol, interval, from } = one
  const to = endOfMissing(one)
  const first = Math.ceil(from / interval.intervalMs) * interval.intervalMs
  if (first >= to) return
  if (!history.isStored(interval.name)) {
    const gap = { symbol, interval: interval.name, startTime: first, endTime: to }
    yield { bars: [], gap: [{ key, event: gapEventOf(gap) }] }
    return
  }
  const pageMs = HISTORY_PAGE_BARS * interval.intervalMs
  for (let start = first; start < to; start += pageMs) {
    const bars = await history.page(one, start, Math.min(start + pageMs, to))
    yield { bars: bars.map(closedBarOf), gap: [] }
  }
}

/** Before a symbol's first trade here nothing is known, and there may be bars up to now. */
function endOfMissing({ known }: JoiningSeries): number {
  return Math.min(known.coveredFrom, Date.now())
}

function checkLength(series: readonly JoiningSeries[], history: BarHistory, limits: EdgeLimits): void {
  let sum = 0
  for (const one of series) {
    const { symbol, interval, from, position } = one
    if (!history.isStored(interval.name)) continue
    const count = Math.ceil((endOfMissing(one) - from) / interval.intervalMs)
    const field = position === undefined ? 'start_time' : `the position of ${symbol} ${interval.name}`
    if (count > limits.historyBarsMax) {
      throw refusal(
        'INVALID_ARGUMENT',
        `${field} is ${count} bars of ${interval.name} ago; give at most ${limits.historyBarsMax}, and read older bars with ListBars`,
      )
    }
    sum += Math.max(0, count)
  }
  if (sum <= limits.historyBarsPerCallMax) return
  throw refusal(
    'INVALID_ARGUMENT',
    `start_time and positions ask for ${sum} closed bars; give at most ${limits.historyBarsPerCallMax} in a call, and read older bars with ListBars`,
  )
}

function refusal(code: RpcCode, message: string): RpcError {
  return new RpcError(code, message)
}
