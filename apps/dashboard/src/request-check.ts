import { findInterval, type Interval, isSymbol } from '@chart/market'
import { RefusedRequest } from './refused-request.ts'
import type { ServedSymbol } from './served-symbols.ts'
import { positionsOfId } from './stream-position.ts'
import { type WantedSeries, wantedOfText } from './wire.ts'

/** Series of one page: sixteen charts are more than a screen holds. */
export const SERIES_MAX = 16

/** Bars of one answer, an edge's largest page; and where no number is given. */
const BARS_MAX = 1_000
const BARS_DEFAULT = 500

/** The moments that bars can have, as edges take them: up to the end of the year 9999. */
const TIME_MAX = 253_402_300_799_999

/** What is served. */
export interface Served {
  readonly symbols: ReadonlyMap<string, ServedSymbol>
  readonly intervals: readonly Interval[]
}

/** @throws RefusedRequest */
export function checkSymbol(symbol: string, { symbols }: Served): ServedSymbol {
  const served = symbols.get(symbol)
  if (served !== undefined) return served
  if (symbol === '') throw new RefusedRequest(400, 'symbol is missing; give one such as BTCUSDT')
  if (!isSymbol(symbol)) throw new RefusedRequest(400, 'symbol is not a symbol such as BTCUSDT, in upper case')
  throw new RefusedRequest(404, `${symbol} is not served; /api/symbols tells what is`)
}

/** @throws RefusedRequest */
export function checkInterval(name: string, { intervals }: Served): Interval {
  const interval = findInterval(name)
  if (interval !== undefined && intervals.includes(interval)) return interval
  throw new RefusedRequest(400, `interval is not one of ${intervals.map(one => one.name).join(', ')}`)
}

/**
 * A moment in ms; undefined where there is none.
 * @throws RefusedRequest
 */
export function checkTime(text: string | null, name: string): number | undefined {
  if (text === null || text === '') return undefined
  const time = Number(text)
  if (/^\d{1,15}$/.test(text) && time <= TIME_MAX) return time
  throw new RefusedRequest(400, `${name} is not a time in milliseconds since 1970`)
}

/** @throws RefusedRequest */
export function checkLimit(text: string | null): number {
  if (text === null || text === '') return BARS_DEFAULT
  const limit = Number(text)
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= BARS_MAX) return limit
  throw new RefusedRequest(400, `limit is not a number from 1 to ${BARS_MAX}`)
}

/**
 * The series of a stream, by their form alone.
 * @throws RefusedRequest
 */
export function checkWanted(text: string | null): WantedSeries[] {
  if (text === null || text === '')
    throw new RefusedRequest(400, 'series is missing; give some such as BTCUSDT:1m,ETHUSDT:5m')
  const wanted = wantedOfText(text)
  if (wanted === undefined)
    throw new RefusedRequest(400, 'series is not of the form BTCUSDT:1m@1763876000000,ETHUSDT:5m')
  if (wanted.length > SERIES_MAX) throw new RefusedRequest(400, `series has more than ${SERIES_MAX} items`)
  const names = new Set(wanted.map(({ symbol, interval }) => `${symbol}:${interval}`))
  if (names.size < wanted.length) throw new RefusedRequest(400, 'series names one twice')
  if (wanted.some(({ from = 0 }) => from > TIME_MAX))
    throw new RefusedRequest(400, 'series has a time after the year 9999')
  return wanted
}

/**
 * From where a page wants each of its series: a browser that lost its connection says so by the id of the last event, which is newer
 * than what the address says.
 */
export function positionsOf(wanted: readonly WantedSeries[], lastEventId: string | undefined): (number | undefined)[] {
  const positions = lastEventId === undefined ? undefined : positionsOfId(lastEventId, wanted.length)
  return wanted.map(({ from }, index) => positions?.[index] ?? from)
}
