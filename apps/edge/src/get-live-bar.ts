import { type GetLiveBarRequest, type GetLiveBarResponse, messageOfBar, RpcError } from '@chart/grpc'
import { type RedisCommands, readLiveBars } from '@chart/redis'
import { checkInterval, checkSymbol } from './request-check.ts'
import type { ServedSymbols } from './served-symbols.ts'

/**
 * GetLiveBar: one live bar as Redis holds it now.
 * @throws RpcError for a request that cannot be served, NOT_FOUND before the first trade
 */
export async function getLiveBar(
  request: GetLiveBarRequest,
  options: { served: ServedSymbols; redis: RedisCommands },
): Promise<GetLiveBarResponse> {
  const served = await options.served.including([request.symbol])
  const { symbol, tag } = checkSymbol(request.symbol, served)
  const interval = checkInterval(request.interval, served)
  const [live] = await readLiveBars(options.redis, tag, symbol, [interval])
  if (live === undefined) throw new RpcError('NOT_FOUND', `symbol ${symbol} had no trade yet`)
  return { bar: messageOfBar(live.bar) }
}
