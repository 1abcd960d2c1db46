import type { BarText, Interval } from '@chart/market'
import { ANSWER_BARS_MAX, type History } from './history.ts'
import { headersOf, type Route, type RouteAnswer } from './http-server.ts'
import { RefusedRequest } from './refused-request.ts'
import { checkSymbol } from './request-check.ts'
import type { ServedSymbol, ServedSymbols } from './served-symbols.ts'
import {
  intervalOfResolution,
  isFound,
  resolutionOf,
  udfBarsText,
  udfConfigOf,
  udfFoundOf,
  udfSymbolOf,
} from './udf-format.ts'

/** Bars of one answer: of a longer range the newest, and the library asks for those before. */
export const UDF_BARS_MAX = 5_000

/** Symbols found at once, and where no number is given. */
const FOUND_MAX = 200
const FOUND_DEFAULT = 30

/** The year 9999 in seconds. */
const TIME_MAX = 253_402_300_799

/** Public numbers, asked for without cookies: any page may. */
const CORS = { 'access-control-allow-origin': '*' } as const

export interface UdfOptions {
  readonly served: ServedSymbols
  readonly history: History
  readonly intervals: readonly Interval[]
}

/** Routes of a datafeed for TradingView's charting library. */
export function udfRoutes({ served, history, intervals }: UdfOptions): Map<string, Route> {
  const config = JSON.stringify(udfConfigOf(intervals))
  const symbolOf = async (query: URLSearchParams): Promise<ServedSymbol> => {
    // Front ends may put the exchange in front: BINANCE:BTCUSDT.
    const name = (query.get('symbol') ?? '').split(':').at(-1)!.toUpperCase()
    return checkSymbol(name, { symbols: await served.all(), intervals })
  }
  const routes: Record<string, (query: URLSearchParams) => Promise<RouteAnswer>> = {
    '/udf/config': async () => ({ body: config }),
    '/udf/symbols': async query => ({ body: JSON.stringify(udfSymbolOf(await symbolOf(query), intervals)) }),
    '/udf/search': async query => {
      const words = {
        query: query.get('query') ?? '',
        type: query.get('type') ?? '',
        exchange: query.get('exchange') ?? '',
      }
      const limit = integerOf(query.get('limit'), 'limit', 1, FOUND_MAX) ?? FOUND_DEFAULT
      const found = [...(await served.all()).values()].filter(info => isFound(info, words))
      return { body: JSON.stringify(found.slice(0, limit).map(udfFoundOf)) }
    },
    '/udf/history': async query => {
      const { symbol } = await symbolOf(query)
      return { body: await historyText(history, symbol, checkRange(query, intervals)) }
    },
    '/udf/time': async () => ({ body: String(Math.floor(Date.now() / 1_000)), type: 'text/plain; charset=utf-8' }),
  }
  return new Map(Object.entries(routes).map(([path, answer]) => [path, query => withUdfErrors(answer(query))]))
}

interface UdfRange {
  readonly interval: Interval
  /** In ms; inclusive and exclusive. */
  readonly from: number
  readonly to: number
  /** Bars before `to`, whatever `from` says; undefined: those from `from` on. */
  readonly countback: number | undefined
}

/** @throws RefusedRequest */
function checkRange(query: URLSearchParams, intervals: readonly Interval[]): UdfRange {
  const interval = intervalOfResolution(query.get('resolution') ?? '')
  if (interval === undefined || !intervals.includes(interval)) {
    throw new RefusedRequest(400, `resolution is not one of ${intervals.map(resolutionOf).join(', ')}`)
  }
  const to = integerOf(query.get('to'), 'to', 0, TIME_MAX) ?? TIME_MAX
  const countback = integerOf(query.get('countback'), 'countback', 0, Number.MAX_SAFE_INTEGER) || undefined
  const from = integerOf(query.get('from'), 'from', 0, TIME_MAX)
  if (from === undefined && countback === undefined) throw new RefusedRequest(400, 'from is missing, or countback')
  return { interval, from: (from ?? 0) * 1_000, to: to * 1_000, countback }
}

/** @throws RefusedRequest */
function integerOf(text: string | null, name: string, min: number, max: number): number | undefined {
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value
  throw new RefusedRequest(400, `${name} is not a whole number from ${min} to ${max}`)
}

/** @throws HistoryUnavailableError */
async function historyText(
  history: History,
  symbol: string,
  { interval, from, to, countback }: UdfRange,
): Promise<string> {
  const bars: BarText[] = []
  const start = countback === undefined ? from : 0
  const wanted = Math.min(countback ?? UDF_BARS_MAX, UDF_BARS_MAX)
  const page = (endTime: number, startTime: number, pageSize: number) =>
    history.page({
      symbol,
      interval: interval.name,
      startTime,
      endTime,
      order: 'newest-first',
      pageSize,
      includeLive: true,
    })
  let end = to
  for (let hasMore = end > start; hasMore && bars.length < wanted; ) {
    const answer = await page(end, start, Math.min(ANSWER_BARS_MAX, wanted - bars.length))
    bars.push(...answer.bars)
    end = bars.at(-1)?.openTime ?? start
    hasMore = answer.hasMore
  }
  if (bars.length > 0) return udfBarsText(bars.reverse(), undefined)
  const older = start === 0 ? [] : (await page(Math.min(start, to), 0, 1)).bars
  return udfBarsText([], older[0]?.openTime)
}

/** Every answer may be read by any page, errors too, which are in the form that the library expects. */
async function withUdfErrors(answering: Promise<RouteAnswer>): Promise<RouteAnswer> {
  try {
    return { ...(await answering), headers: CORS }
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error
    const errmsg = error.status === 404 ? 'unknown_symbol' : error.message
    return {
      body: JSON.stringify({ s: 'error', errmsg }),
      status: error.status,
      headers: { ...CORS, ...headersOf(error) },
    }
  }
}
