import { type BarText, findInterval, isSymbol } from '@chart/market'

/**
 * A closed bar in the outbox and in a job: field `BTCUSDT|1m|1723118400000`, value the bar as JSON. The value is compared
 * as text when it is acknowledged, so equal bars always give equal texts.
 */

/** A value that is no closed bar. It would be the same at every try. */
export class PendingBarError extends Error {
  override name = 'PendingBarError'
}

/** What identifies the bar in its partition's outbox. */
export function pendingFieldOf(bar: Pick<BarText, 'symbol' | 'interval' | 'openTime'>): string {
  return `${bar.symbol}|${bar.interval}|${bar.openTime}`
}

/** The bar as JSON, its members always in this order. */
export function pendingValueOf(bar: BarText): string {
  return JSON.stringify({
    symbol: bar.symbol,
    interval: bar.interval,
    openTime: bar.openTime,
    closeTime: bar.closeTime,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    baseVolume: bar.baseVolume,
    quoteVolume: bar.quoteVolume,
    takerBuyBaseVolume: bar.takerBuyBaseVolume,
    takerBuyQuoteVolume: bar.takerBuyQuoteVolume,
    tradeCount: bar.tradeCount,
    firstTradeId: bar.firstTradeId,
    lastTradeId: bar.lastTradeId,
    state: bar.state,
    revision: bar.revision,
    complete: bar.complete,
  } satisfies BarText)
}

/**
 * The inverse of pendingValueOf. Members that it does not know are passed over, so that a newer aggregator may add some.
 * @throws PendingBarError naming the member that is missing or wrong
 */
export function barOfPendingValue(value: string): BarText {
  const object = objectOf(value)
  const symbol = textOf(object, 'symbol')
  if (!isSymbol(symbol)) throw faultOf(object, 'symbol', 'a symbol such as BTCUSDT')
  const interval = findInterval(textOf(object, 'interval'))
  if (interval === undefined) throw faultOf(object, 'interval', 'a known interval')
  const openTime = integerOf(object, 'openTime', 0)
  if (openTime % interval.intervalMs !== 0) throw faultOf(object, 'openTime', `a multiple of ${interval.intervalMs}`)
  const closeTime = integerOf(object, 'closeTime', 0)
  if (closeTime !== openTime + interval.intervalMs - 1)
    throw faultOf(object, 'closeTime', 'the last millisecond of the bar')
  if (object.state !== 'closed') throw faultOf(object, 'state', '"closed"')
  if (typeof object.complete !== 'boolean') throw faultOf(object, 'complete', 'true or false')
  return {
    symbol,
    interval: interval.name,
    openTime,
    closeTime,
    open: decimalOf(object, 'open'),
    high: decimalOf(object, 'high'),
    low: decimalOf(object, 'low'),
    close: decimalOf(object, 'close'),
    baseVolume: decimalOf(object, 'baseVolume'),
    quoteVolume: decimalOf(object, 'quoteVolume'),
    takerBuyBaseVolume: decimalOf(object, 'takerBuyBaseVolume'),
    takerBuyQuoteVolume: decimalOf(object, 'takerBuyQuoteVolume'),
    tradeCount: integerOf(object, 'tradeCount', 0),
    firstTradeId: integerOf(object, 'firstTradeId', -1),
    lastTradeId: integerOf(object, 'lastTradeId', -1),
    state: object.state,
    revision: integerOf(object, 'revision', 0),
    complete: object.complete,
  }
}

type Members = { readonly [name in keyof BarText]?: unknown }

function objectOf(value: string): Members {
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch (error) {
    throw new PendingBarError(`not JSON: ${value.slice(0, 80)}`, { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null) throw new PendingBarError(`no object: ${value.slice(0, 80)}`)
  return parsed
}

/** Digits before and after the point are bounded: what is longer is no price of this world. */
const DECIMAL = /^\d{1,40}(\.\d{1,20})?$/

function decimalOf(object: Members, name: keyof BarText): string {
  const text = textOf(object, name)
  if (!DECIMAL.test(text)) throw faultOf(object, name, 'a decimal such as 61837.63')
  return text
}

function textOf(object: Members, name: keyof BarText): string {
  const value = object[name]
  if (typeof value !== 'string') throw faultOf(object, name, 'text')
  return value
}

function integerOf(object: Members, name: keyof BarText, min: number): number {
  const value = object[name]
  if (!Number.isSafeInteger(value) || (value as number) < min) throw faultOf(object, name, `a whole number from ${min}`)
  return value as number
}

function faultOf(object: Members, name: keyof BarText, wanted: string): PendingBarError {
  return new PendingBarError(`${name} must be ${wanted}, not ${JSON.stringify(object[name])?.slice(0, 60)}`)
}
