import { findInterval, isSymbol } from '@chart/market'
import type { TradeIds } from './kline-audit.ts'
import { decimalTextOf, integerOf, type Kline, recordOf, textOf } from './rest-message.ts'
import { MalformedMessageError } from './trade-message.ts'

/** The exchange's own bar as its stream tells it: with the trade ids that REST leaves out. */
export interface StreamKline extends Kline, TradeIds {
  readonly symbol: string
  readonly interval: string
  /** The bar takes no more trades, as far as this stream knows. */
  readonly closed: boolean
}

/**
 * What a frame of `<symbol>@kline_<interval>` says, or undefined for one of another stream:
 *
 * ```
 * {"stream":"xemusdt@kline_1m","data":{"e":"kline","E":1681154040004,"s":"XEMUSDT","k":{"t":1681153980000,"T":1681154039999,
 *  "s":"XEMUSDT","i":"1m","f":35012468,"L":35012468,"o":"0.04110000","c":"0.04110000","h":"0.04110000","l":"0.04110000",
 *  "v":"243.00000000","n":1,"x":true,"q":"9.98730000","V":"243.00000000","Q":"9.98730000","B":"0"}}}
 * ```
 * f and L are the first and last trade id, −1 in a bar without trades; x says that it is closed; B means nothing. Raw endpoints send
 * the same without the envelope.
 * @throws MalformedMessageError
 */
export function klineMessageOf(frame: Buffer | string): StreamKline | undefined {
  const message = parsed(frame)
  const payload = recordOf('stream' in message && 'data' in message ? message.data : message, 'the message')
  if (payload.e !== 'kline') return undefined
  const k = recordOf(payload.k, 'k')
  const symbol = textOf(k.s, 's')
  if (!isSymbol(symbol) || payload.s !== symbol) throw new MalformedMessageError('s is not the symbol')
  const interval = findInterval(textOf(k.i, 'i'))
  // Weeks and months, which we have no bars of.
  if (interval === undefined) return undefined
  if (typeof k.x !== 'boolean') throw new MalformedMessageError('x is neither true nor false')
  const kline: StreamKline = {
    symbol,
    interval: interval.name,
    closed: k.x,
    openTime: integerOf(k.t, 't'),
    closeTime: integerOf(k.T, 'T'),
    open: decimalTextOf(k.o, 'o'),
    high: decimalTextOf(k.h, 'h'),
    low: decimalTextOf(k.l, 'l'),
    close: decimalTextOf(k.c, 'c'),
    baseVolume: decimalTextOf(k.v, 'v'),
    quoteVolume: decimalTextOf(k.q, 'q'),
    tradeCount: integerOf(k.n, 'n'),
    takerBuyBaseVolume: decimalTextOf(k.V, 'V'),
    takerBuyQuoteVolume: decimalTextOf(k.Q, 'Q'),
    firstTradeId: integerOf(k.f, 'f'),
    lastTradeId: integerOf(k.L, 'L'),
  }
  const fault = faultOf(kline, interval.intervalMs)
  if (fault !== undefined) throw new MalformedMessageError(fault)
  return kline
}

/** Numbers that contradict each other. Every kline that was ever recorded keeps these. */
function faultOf(kline: StreamKline, intervalMs: number): string | undefined {
  const { openTime, closeTime, tradeCount, firstTradeId, lastTradeId } = kline
  if (openTime <= 0 || openTime % intervalMs !== 0) return `t ${openTime} is no start of a bar`
  if (closeTime !== openTime + intervalMs - 1)
    return `T ${closeTime} is not the end of the bar that opens at ${openTime}`
  if (tradeCount < 0) return `n is ${tradeCount}`
  if (tradeCount === 0)
    return firstTradeId === -1 && lastTradeId === -1 ? undefined : 'a bar without trades has trade ids'
  if (firstTradeId < 0 || lastTradeId - firstTradeId + 1 < tradeCount)
    return `${tradeCount} trades have the ids ${firstTradeId} to ${lastTradeId}`
  return undefined
}

function parsed(frame: Buffer | string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(String(frame)), 'the frame')
  } catch (error) {
    if (error instanceof MalformedMessageError) throw error
    throw new MalformedMessageError('the frame is not JSON')
  }
}
