import {
  backoffDelayMs,
  type ExchangeRest,
  REST_BACKOFF,
  retrying,
  type StreamKline,
  UnknownSymbolError,
} from '@chart/binance'
import type { Interval, Scales } from '@chart/market'
import type { Postgres } from '@chart/postgres'
import { appendRestatement, type RedisCommands, readLiveBars, readSymbols } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import { KlineIds } from './kline-ids.ts'
import type { Metrics } from './metrics.ts'
import { SeriesAudit } from './series-audit.ts'

/** Pause between two passes. */
const PASS_MS = 5_000
/**
 * A bar is compared this long after its end, by the exchange's clock. Its last trades came 300 ms late at most in every recording; the
 * rest is for the exchange's own servers to agree, and for the bar to be stored.
 */
const GRACE_MS = 10_000
/** Series that are compared at the same time: enough to keep the budget busy at 100 ms an answer. */
const SERIES_AT_ONCE = 4

export interface AuditOptions {
  readonly symbols: readonly string[]
  readonly intervals: readonly Interval[]
  readonly importBars: number
  readonly redis: RedisCommands
  readonly postgres: Postgres
  readonly rest: ExchangeRest
  /** The closed 1m klines of these symbols, until the signal aborts. */
  openKlines(symbols: readonly string[]): AsyncIterable<readonly StreamKline[]>
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** For tests, which do not wait so long. */
  readonly passMs?: number
  readonly graceMs?: number
  readonly settleMs?: number
}

/** One series and when it may have its next turn, after a failure. */
interface Place {
  readonly audit: SeriesAudit
  failures: number
  notBefore: number
  trouble: string | undefined
}

/**
 * Compares the stored bars of every symbol and interval with the exchange's own, again and again until the signal aborts, and repairs
 * what differs. A series that has no bars is given history first. What fails is tried again later; nothing else waits for it.
 */
export async function audit(options: AuditOptions): Promise<void> {
  const { rest, metrics, log, signal, passMs = PASS_MS } = options
  const ids = new KlineIds()
  const scales = await scalesOf(options)
  const hearing = hearKlines(ids, [...scales.keys()], options)
  const places = new Map([...scales].map(([symbol, of]) => [symbol, placesOf(symbol, of, ids, options)]))
  for (let failures = 0; !signal.aborted; ) {
    const stop = metrics.passSeconds.startTimer()
    try {
      const exchangeTime = await rest.serverTime()
      await pass(places, exchangeTime, options)
      stop()
      failures = 0
      await delay(passMs, signal)
    } catch (error) {
      if (signal.aborted) break
      failures++
      log.warn({ reason: (error as Error).message, failures }, 'this pass of the audit has failed')
      await delay(passMs + backoffDelayMs(REST_BACKOFF, failures), signal)
    }
    metrics.doubtful.set([...places.values()].flat().reduce((sum, { audit: one }) => sum + one.doubtful, 0))
  }
  await hearing
}

/** A silent stream costs only the comparison of ids. */
async function hearKlines(
  ids: KlineIds,
  symbols: readonly string[],
  { openKlines, log, signal }: AuditOptions,
): Promise<void> {
  try {
    for await (const klines of openKlines(symbols)) for (const kline of klines) ids.add(kline)
  } catch (error) {
    if (!signal.aborted) log.warn({ reason: (error as Error).message }, 'klines are not heard; REST alone is compared')
  }
}

/** The decimals of each symbol, without those that the exchange does not know (any more). */
async function scalesOf({ symbols, rest, log, signal }: AuditOptions): Promise<Map<string, Scales>> {
  let asked = symbols
  for (;;) {
    try {
      const infos = await retrying(() => rest.exchangeInfo(asked), { signal, log })
      return new Map(infos.map(info => [info.symbol, info.scales]))
    } catch (error) {
      if (signal.aborted) return new Map()
      if (!(error instanceof UnknownSymbolError)) throw error
      log.warn({ symbols: error.symbols }, 'the exchange has no such symbols; their bars are not compared')
      asked = asked.filter(symbol => !error.symbols.includes(symbol))
    }
  }
}

/** The longest interval first: its history is the one call that shows years. */
function placesOf(symbol: string, scales: Scales, ids: KlineIds, options: AuditOptions): Place[] {
  return options.intervals.toReversed().map(interval => ({
    audit: new SeriesAudit({
      ...options,
      symbol,
      interval,
      scales,
      ids,
      restate: (tag, bar) => appendRestatement(options.redis, tag, bar),
    }),
    failures: 0,
    notBefore: 0,
    trouble: undefined,
  }))
}

/** Every series has a turn. */
async function pass(places: ReadonlyMap<string, Place[]>, exchangeTime: number, options: AuditOptions): Promise<void> {
  const { redis, signal, graceMs = GRACE_MS } = options
  const tags = await readSymbols(redis)
  const waiting = [...places]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      const [symbol, series] = next
      const tag = tags.get(symbol)
      const [live] = tag === undefined ? [] : await readLiveBars(redis, tag, symbol, ['1m'])
      const turn = { closedTime: exchangeTime - graceMs, throughTime: live?.throughTime, tag }
      for (const place of series) {
        if (signal.aborted) return
        await takeTurn(place, () => place.audit.take(turn), symbol, options)
      }
    }
  }
  await Promise.all(Array.from({ length: SERIES_AT_ONCE }, work))
}

/** A series that fails waits longer each time; the others go on. */
async function takeTurn(
  place: Place,
  take: () => Promise<void>,
  symbol: string,
  { log, signal }: AuditOptions,
): Promise<void> {
  if (place.notBefore > Date.now()) return
  try {
    await take()
    place.failures = 0
    place.trouble = undefined
  } catch (error) {
    if (signal.aborted) return
    const reason = (error as Error).message
    place.failures++
    place.notBefore = Date.now() + backoffDelayMs(REST_BACKOFF, place.failures)
    if (reason === place.trouble) return
    log.warn({ symbol, interval: place.audit.interval.name, reason }, 'bars are not compared for now; trying again')
    place.trouble = reason
  }
}
