import { EXCHANGE_SCALES, type Scales } from '@chart/market'
import { MalformedMessageError } from './trade-message.ts'

/** What the exchange says about a symbol. */
export interface SymbolInfo {
  readonly symbol: string
  /** `TRADING`, `BREAK`, `HALT`, `CANCEL_ONLY` … as the exchange says it. */
  readonly status: string
  readonly baseAsset: string
  readonly quoteAsset: string
  readonly scales: Scales
  /** Smallest step of a price, "0.01000000". It changes over a symbol's life: display only. */
  readonly tickSize: string
  /** Smallest step of a quantity. */
  readonly stepSize: string
  /** True when the trades are invented: our exchange simulator says so of itself, the exchange has no such field. */
  readonly simulated: boolean
}

/** The exchange's own bar. Decimals as it prints them. */
export interface Kline {
  readonly openTime: number
  readonly closeTime: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly baseVolume: string
  readonly quoteVolume: string
  readonly tradeCount: number
  readonly takerBuyBaseVolume: string
  readonly takerBuyQuoteVolume: string
}

/**
 * The symbols of /api/v3/exchangeInfo:
 * `{"symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","quoteAssetPrecision":8,
 *  "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00001000",…},{"filterType":"LOT_SIZE","stepSize":"0.00010000",…}],…}],…}`
 * Only the `wanted` ones are read, so that an odd entry elsewhere in the full list of thousands harms nobody.
 * @throws MalformedMessageError
 */
export function symbolInfosOf(answer: unknown, wanted: ReadonlySet<string>): SymbolInfo[] {
  return listOf(recordOf(answer, 'exchangeInfo').symbols, 'symbols')
    .filter(row => wanted.has(textOf(recordOf(row, 'symbol').symbol, 'symbol')))
    .map(symbolInfoOf)
}

function symbolInfoOf(value: unknown): SymbolInfo {
  const row = recordOf(value, 'symbol')
  const symbol = textOf(row.symbol, 'symbol')
  const quote = integerOf(row.quoteAssetPrecision, `quoteAssetPrecision of ${symbol}`)
  if (quote < 0 || quote > QUOTE_SCALE_MAX)
    throw new MalformedMessageError(`${symbol} has a quote precision of ${quote}`)
  return {
    symbol,
    status: textOf(row.status, `status of ${symbol}`),
    baseAsset: textOf(row.baseAsset, `baseAsset of ${symbol}`),
    quoteAsset: textOf(row.quoteAsset, `quoteAsset of ${symbol}`),
    scales: { ...EXCHANGE_SCALES, quote },
    tickSize: filterValueOf(row, 'PRICE_FILTER', 'tickSize'),
    stepSize: filterValueOf(row, 'LOT_SIZE', 'stepSize'),
    simulated: row.simulated === true,
  }
}

/** Beyond the 18 decimals of the finest assets a precision is a mistake, and powers of ten would grow without need. */
const QUOTE_SCALE_MAX = 18

function filterValueOf(row: Record<string, unknown>, filterType: string, field: string): string {
  const filters = listOf(row.filters, 'filters').map(filter => recordOf(filter, 'filter'))
  const filter = filters.find(candidate => candidate.filterType === filterType)
  return textOf(filter?.[field], `${field} of ${row.symbol}`)
}

/**
 * The rows of /api/v3/klines: `[[1588740120000,"9033.34000000","9039.99000000","9032.75000000","9033.15000000","31.19296800",
 * 1588740179999,"281893.08800082",282,"6.35810300","57447.26912415","0"],…]`, that is open time, open, high, low, close, base
 * volume, close time, quote volume, trades, taker buy base volume, taker buy quote volume, nothing.
 * @throws MalformedMessageError
 */
export function klinesOf(answer: unknown): Kline[] {
  return listOf(answer, 'klines').map(value => {
    const row = listOf(value, 'kline')
    return {
      openTime: integerOf(row[0], 'kline open time'),
      open: decimalTextOf(row[1], 'kline open'),
      high: decimalTextOf(row[2], 'kline high'),
      low: decimalTextOf(row[3], 'kline low'),
      close: decimalTextOf(row[4], 'kline close'),
      baseVolume: decimalTextOf(row[5], 'kline volume'),
      closeTime: integerOf(row[6], 'kline close time'),
      quoteVolume: decimalTextOf(row[7], 'kline quote volume'),
      tradeCount: integerOf(row[8], 'kline trade count'),
      takerBuyBaseVolume: decimalTextOf(row[9], 'kline taker buy base volume'),
      takerBuyQuoteVolume: decimalTextOf(row[10], 'kline taker buy quote volume'),
    }
  })
}

/** What we take from an aggregate trade: which trade ids it stands for. */
export interface TradeSpan {
  readonly aggregateId: number
  /** −1 when the exchange has blanked the row. */
  readonly firstTradeId: number
  readonly lastTradeId: number
}

/**
 * The rows of /api/v3/aggTrades: `[{"a":3928743435,"p":"67774.00000000","q":"0.01475000","f":6193332803,"l":6193332818,
 * "T":1775571561644,"m":false,"M":true},…]`; f and l are the first and last trade id. Blanked rows have f and l −1.
 * @throws MalformedMessageError
 */
export function tradeSpansOf(answer: unknown): TradeSpan[] {
  return listOf(answer, 'aggTrades').map(value => {
    const row = recordOf(value, 'aggregate trade')
    return {
      aggregateId: integerOf(row.a, 'aggregate trade id'),
      firstTradeId: integerOf(row.f, 'first trade id'),
      lastTradeId: integerOf(row.l, 'last trade id'),
    }
  })
}

/** What we take from the statistics of a symbol's last 24 hours. */
export interface TradeStatistic {
  readonly symbol: string
  /** The last trade considered. */
  readonly lastTradeId: number
  readonly tradeCount: number
  /** End of the time that the statistic covers: no trade up to then is newer than lastTradeId. */
  readonly closeTime: number
}

/**
 * The rows of /api/v3/ticker/24hr?type=MINI: `[{"symbol":"LTCBTC","openPrice":"0.07000000","highPrice":"0.07000000",
 * "lowPrice":"0.07000000","lastPrice":"0.07000000","volume":"11.00000000","quoteVolume":"0.77000000","openTime":1656908192899,
 * "closeTime":1656994592899,"firstId":0,"lastId":10,"count":11},…]`. Of a symbol without trades firstId and lastId are −1; it is
 * left out, as are those that are not `wanted`: an odd entry elsewhere in the full list harms nobody.
 * @throws MalformedMessageError
 */
export function tradeStatisticsOf(answer: unknown, wanted: ReadonlySet<string>): TradeStatistic[] {
  return listOf(answer, 'statistics')
    .map(value => recordOf(value, 'statistic'))
    .filter(row => wanted.has(textOf(row.symbol, 'symbol')))
    .map(row => ({
      symbol: row.symbol as string,
      lastTradeId: integerOf(row.lastId, `lastId of ${row.symbol}`),
      tradeCount: integerOf(row.count, `count of ${row.symbol}`),
      closeTime: integerOf(row.closeTime, `closeTime of ${row.symbol}`),
    }))
    .filter(({ lastTradeId }) => lastTradeId >= 0)
}

/** `{"serverTime":1782062234985}` @throws MalformedMessageError */
export function serverTimeOf(answer: unknown): number {
  return integerOf(recordOf(answer, 'time').serverTime, 'serverTime')
}

/** @throws MalformedMessageError */
export function listOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new MalformedMessageError(`${name} is not a list`)
  return value
}

/** @throws MalformedMessageError */
export function recordOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedMessageError(`${name} is not an object`)
  }
  return value as Record<string, unknown>
}

/** @throws MalformedMessageError */
export function integerOf(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value)) throw new MalformedMessageError(`${name} is not a whole number`)
  return value as number
}

/** @throws MalformedMessageError */
export function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new MalformedMessageError(`${name} is not a text`)
  return value
}

/** @throws MalformedMessageError */
export function decimalTextOf(value: unknown, name: string): string {
  const text = textOf(value, name)
  if (!/^\d{1,30}(\.\d{1,18})?$/.test(text)) throw new MalformedMessageError(`${name} is not a decimal`)
  return text
}
