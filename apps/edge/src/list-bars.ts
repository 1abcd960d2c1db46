import {
  type ListBarsRequest,
  type ListBarsResponse,
  messageOfBar,
  RpcError,
  type TimestampMessage,
  timeOfTimestamp,
} from '@chart/grpc'
import type { BarText } from '@chart/market'
import { listBars, type Postgres } from '@chart/postgres'
import { type RedisCommands, readLiveBars } from '@chart/redis'
import { checkInterval, checkSymbol, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'

const ORDERS: Record<ListBarsRequest['order'], 'oldest' | 'newest'> = {
  BAR_ORDER_UNSPECIFIED: 'oldest',
  BAR_ORDER_OLDEST_FIRST: 'oldest',
  BAR_ORDER_NEWEST_FIRST: 'newest',
}

export interface ListBarsOptions {
  readonly served: ServedSymbols
  readonly redis: RedisCommands
  readonly postgres: Postgres
}

/**
 * ListBars: one page of stored bars, with the live bar where range and order reach it. The page token is the openTime of the last
 * bar given, so pages neither repeat nor pass over a bar when new ones are stored in between.
 * @throws RpcError for a request that cannot be served
 */
export async function listBarsPage(request: ListBarsRequest, options: ListBarsOptions): Promise<ListBarsResponse> {
  const served = await options.served.including([request.symbol])
  const { symbol, tag } = checkSymbol(request.symbol, served)
  const interval = checkInterval(request.interval, served)
  const range = rangeOf(request)
  const limit = pageSizeOf(request.pageSize)
  const order = ORDERS[request.order]
  if (order === undefined) throw new RpcError('INVALID_ARGUMENT', 'order is unknown')
  const after = request.pageToken === '' ? undefined : openTimeOfToken(request.pageToken)
  const live = request.includeLive ? await liveBarOf(options, tag, symbol, interval, range) : undefined
  const liveFirst = live !== undefined && order === 'newest' && after === undefined
  const bars: BarText[] = liveFirst ? [live] : []
  const stored = await listBars(options.postgres, {
    symbol,
    interval,
    order,
    limit: limit - bars.length + 1,
    ...range,
    ...(after !== undefined && { after }),
  })
  // A bar that closed between the two reads is given once, in its place.
  bars.push(...stored.filter(bar => !liveFirst || bar.openTime < live.openTime))
  if (live !== undefined && order === 'oldest' && bars.length <= limit) {
    const last = bars[bars.length - 1]?.openTime ?? after ?? Number.NEGATIVE_INFINITY
    if (live.openTime > last) bars.push(live)
  }
  const page = bars.slice(0, limit)
  const last = page[page.length - 1]
  return {
    bars: page.map(messageOfBar),
    nextPageToken: bars.length > limit && last !== undefined ? tokenOf(last.openTime) : '',
  }
}

async function liveBarOf(
  { redis }: ListBarsOptions,
  tag: string,
  symbol: string,
  interval: string,
  range: { from?: number; to?: number },
): Promise<BarText | undefined> {
  const [live] = await readLiveBars(redis, tag, symbol, [interval])
  if (live === undefined) return undefined
  const { openTime } = live.bar
  return openTime >= (range.from ?? openTime) && openTime < (range.to ?? openTime + 1) ? live.bar : undefined
}

function rangeOf(request: ListBarsRequest): { from?: number; to?: number } {
  const from = boundOf(request.startTime)
  const to = boundOf(request.endTime)
  if (from !== undefined && to !== undefined && to < from) {
    throw new RpcError('INVALID_ARGUMENT', 'end_time is before start_time')
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

/** Bars open at whole milliseconds: those at or after (before) a moment in between are those from (before) the next one. */
function boundOf(timestamp: TimestampMessage | null): number | undefined {
  const time = timeOfTimestamp(timestamp)
  return time === undefined || timestamp!.nanos % 1_000_000 === 0 ? time : time + 1
}

function pageSizeOf(pageSize: number): number {
  if (pageSize === 0) return PAGE_SIZE_DEFAULT
  if (pageSize < 0 || pageSize > PAGE_SIZE_MAX) {
    throw new RpcError(
      'INVALID_ARGUMENT',
      `page_size is ${pageSize}; give 1 to ${PAGE_SIZE_MAX}, or 0 for ${PAGE_SIZE_DEFAULT}`,
    )
  }
  return pageSize
}

function tokenOf(openTime: number): string {
  return Buffer.from(`v1:${openTime}`).toString('base64url')
}

function openTimeOfToken(token: string): number {
  const match = /^v1:(\d{1,15})$/.exec(Buffer.from(token.slice(0, 64), 'base64url').toString('latin1'))
  if (match === null) throw new RpcError('INVALID_ARGUMENT', 'page_token is not one that this service gave')
  return Number(match[1])
}
