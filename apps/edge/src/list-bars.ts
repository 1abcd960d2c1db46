import { type ListBarsRequest, type ListBarsResponse, messageOfBar, RpcError } from '@chart/grpc'
import { type Interval, intervalOf } from '@chart/market'
import type { RedisCommands } from '@chart/redis'
import { type BarHistory, HistoryUnavailableError } from './bar-history.ts'
import { readBarsPage } from './bars-page.ts'
import type { EdgeLimits } from './limits.ts'
import { checkInterval, checkSymbol, checkTime } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'
import { readStoredBars } from './symbol-bars.ts'

const PAGE_SIZE_DEFAULT = 100

const ORDERS: Record<ListBarsRequest['order'], 'oldest' | 'newest'> = {
  BAR_ORDER_UNSPECIFIED: 'oldest',
  BAR_ORDER_OLDEST_FIRST: 'oldest',
  BAR_ORDER_NEWEST_FIRST: 'newest',
}

export interface ListBarsOptions {
  readonly served: ServedSymbols
  readonly redis: RedisCommands
  readonly history: BarHistory
  /** Of the live bars, all of them: they are kept together. */
  readonly intervals: readonly Interval[]
  readonly limits: Pick<EdgeLimits, 'pageSizeMax'>
}

/**
 * ListBars: one page of closed bars, with the live bar where range and order reach it. The page token is the openTime of the last
 * bar given, so pages neither repeat nor pass over a bar when new ones are stored in between.
 * @throws RpcError for a request that cannot be served
 */
export async function listBarsPage(request: ListBarsRequest, options: ListBarsOptions): Promise<ListBarsResponse> {
  const served = await options.served.including([request.symbol])
  const { symbol, tag } = checkSymbol(request.symbol, served)
  const interval = intervalOf(checkInterval(request.interval, served))
  const limit = pageSizeOf(request.pageSize, options.limits.pageSizeMax)
  const order = Object.hasOwn(ORDERS, request.order) ? ORDERS[request.order] : undefined
  if (order === undefined) throw new RpcError('INVALID_ARGUMENT', 'order is unknown')
  const { from, to } = rangeOf(request)
  const after = request.pageToken === '' ? undefined : openTimeOfToken(request.pageToken)
  const { series } = await readStoredBars(options.redis, tag, symbol, options.intervals)
  const { live, closed } = series.get(interval.name) ?? { live: undefined, closed: [] }
  const bars = await readBarsPage(options.history, {
    series: { tag, symbol, interval },
    live,
    closed,
    from: order === 'oldest' && after !== undefined ? Math.max(from, after + 1) : from,
    to: order === 'newest' && after !== undefined ? Math.min(to, after) : to,
    order,
    // One more than the page has tells whether there is a next one.
    limit: limit + 1,
    includeLive: request.includeLive,
  }).catch((error): never => {
    if (!(error instanceof HistoryUnavailableError)) throw error
    throw new RpcError('UNAVAILABLE', 'the stored bars cannot be read now; try again')
  })
  const page = bars.slice(0, limit)
  const last = page.at(-1)
  return {
    bars: page.map(messageOfBar),
    nextPageToken: bars.length > limit && last !== undefined ? tokenOf(last.openTime) : '',
  }
}

function rangeOf(request: ListBarsRequest): { from: number; to: number } {
  const from = checkTime(request.startTime, 'start_time') ?? Number.NEGATIVE_INFINITY
  const to = checkTime(request.endTime, 'end_time') ?? Number.POSITIVE_INFINITY
  if (to < from) throw new RpcError('INVALID_ARGUMENT', 'end_time is before start_time')
  return { from, to }
}

function pageSizeOf(pageSize: number, max: number): number {
  if (pageSize === 0) return Math.min(PAGE_SIZE_DEFAULT, max)
  if (pageSize > 0 && pageSize <= max) return pageSize
  throw new RpcError(
    'INVALID_ARGUMENT',
    `page_size is ${pageSize}; give 1 to ${max}, or 0 for ${Math.min(PAGE_SIZE_DEFAULT, max)}`,
  )
}

function tokenOf(openTime: number): string {
  return Buffer.from(`v1:${openTime}`).toString('base64url')
}

function openTimeOfToken(token: string): number {
  const match = /^v1:(\d{1,15})$/.exec(Buffer.from(token.slice(0, 64), 'base64url').toString('latin1'))
  if (match === null) throw new RpcError('INVALID_ARGUMENT', 'page_token is not one that this service gave')
  return Number(match[1])
}
