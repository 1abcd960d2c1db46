import { RpcError, type TimestampMessage, timeOfTimestamp } from '@chart/grpc'
import { isSymbol } from '@chart/market'

/** What is served: symbol → partition tag, and the intervals. */
export interface Served {
  readonly symbols: ReadonlyMap<string, string>
  readonly intervals: ReadonlySet<string>
}

/**
 * `symbol`, checked before it becomes part of a key.
 * @throws RpcError INVALID_ARGUMENT naming the field, NOT_FOUND when it is not served
 */
export function checkSymbol(symbol: string, served: Served, field = 'symbol'): { symbol: string; tag: string } {
  if (symbol === '') throw new RpcError('INVALID_ARGUMENT', `${field} is missing; give a symbol such as BTCUSDT`)
  if (!isSymbol(symbol)) {
    const hint = isSymbol(symbol.toUpperCase()) ? `; symbols are upper case: ${symbol.toUpperCase()}` : ''
    throw new RpcError('INVALID_ARGUMENT', `${field} is not a symbol such as BTCUSDT${hint}`)
  }
  const tag = served.symbols.get(symbol)
  if (tag === undefined) throw new RpcError('NOT_FOUND', `${field} ${symbol} is not served; ListSymbols tells what is`)
  return { symbol, tag }
}

/** @throws RpcError INVALID_ARGUMENT naming the field */
export function checkInterval(interval: string, served: Served, field = 'interval'): string {
  if (served.intervals.has(interval)) return interval
  const known = [...served.intervals].join(', ')
  throw new RpcError(
    'INVALID_ARGUMENT',
    interval === '' ? `${field} is missing; give one of ${known}` : `${field} is unknown; give one of ${known}`,
  )
}

/** The moments that bars can have: from the epoch to the end of the year 9999, as google.protobuf.Timestamp ends. */
const TIME_MAX = 253_402_300_799_999

/**
 * Milliseconds of a timestamp, rounded up: bars open at whole milliseconds, so those at or after (before) a moment in between are those
 * from (before) the next one.
 * @throws RpcError INVALID_ARGUMENT naming the field
 */
export function checkTime(timestamp: TimestampMessage | null, field: string): number | undefined {
  const time = timeOfTimestamp(timestamp)
  if (time === undefined) return undefined
  const { nanos } = timestamp!
  if (!(time >= 0 && time <= TIME_MAX && nanos >= 0 && nanos < 1_000_000_000)) {
    throw new RpcError('INVALID_ARGUMENT', `${field} is not a time from 1970 to 9999`)
  }
  return nanos % 1_000_000 === 0 ? time : time + 1
}

/**
 * The distinct items of a list, each checked.
 * @throws RpcError INVALID_ARGUMENT when it is empty or too long, or what `check` throws
 */
export function checkList<T>(
  items: readonly string[],
  field: string,
  max: number,
  check: (item: string, field: string) => T,
): T[] {
  if (items.length === 0) throw new RpcError('INVALID_ARGUMENT', `${field} is empty; give at least one`)
  const distinct = new Map<string, T>()
  for (const [index, item] of items.entries()) {
    if (!distinct.has(item)) distinct.set(item, check(item, `${field}[${index}]`))
    if (distinct.size > max) throw new RpcError('INVALID_ARGUMENT', `${field} has too many items; give at most ${max}`)
  }
  return [...distinct.values()]
}
