import type { Exchange } from './exchange.ts'
import type { TimeFactor } from './frames.ts'
import { RestError, type RestQuery } from './rest-query.ts'
import type { Tape } from './tape.ts'

const dayMs = 86_400_000

/** What the exchange asks for `symbol`, `symbols` and neither: 2 up to 20 symbols, 40 up to 100, 80 for more or all. */
export function statisticsWeight(params: URLSearchParams): number {
  if (params.has('symbol')) return 2
  const count = params.get('symbols')?.split(',').length ?? Number.POSITIVE_INFINITY
  if (count <= 20) return 2
  return count <= 100 ? 40 : 80
}

/**
 * /api/v3/ticker/24hr: times, ids, count and last price of the last 24 hours. Extremes and volumes are not there: they would be a
 * sum over all trades of a day. One object for `symbol`, else a list; FULL and MINI say the same here.
 */
export function statistics(_: Exchange, query: RestQuery, factor: TimeFactor): unknown {
  if (!['FULL', 'MINI'].includes(query.text('type') ?? 'FULL')) throw new RestError(-1139, 'Invalid ticker type.')
  const rows = query.tapes().map(tape => statisticOf(tape, factor))
  return query.has('symbol') ? rows[0] : rows
}

/** It covers what has been sent by closeTime. firstId is told as if the ids of the day had no holes. */
function statisticOf(tape: Tape, factor: TimeFactor) {
  const openTime = Math.floor((tape.time - dayMs) / 1000) * 1000
  const count = tape.countSince(openTime)
  const last = count > 0 ? tape.readBack(tape.end, 1)[0] : undefined
  return {
    symbol: tape.symbol,
    lastPrice: last?.price ?? '0.00000000',
    openTime: openTime * factor,
    closeTime: tape.time * factor,
    firstId: last === undefined ? -1 : last.tradeId - count + 1,
    lastId: last?.tradeId ?? -1,
    count,
  }
}
