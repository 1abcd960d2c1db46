import { aggregatesFromId, aggregatesSince, aggregatesUntil } from './aggregates.ts'
import { type Bar, barText, intervals, openTimeOf } from './bar.ts'
import type { Exchange } from './exchange.ts'
import { closeTimeOf, type TimeFactor } from './frames.ts'
import { TooManyTradesError } from './klines.ts'
import { RestError, RestQuery } from './rest-query.ts'
import { statistics, statisticsWeight } from './statistics.ts'
import type { Tape } from './tape.ts'
import { quoteQuantityOf, type Trade, textOfSteps } from './trade.ts'

interface Endpoint {
  /** A number, or as the parameters have it. */
  readonly weight: number | ((params: URLSearchParams) => number)
  readonly answer: (exchange: Exchange, query: RestQuery, factor: TimeFactor) => unknown
}

/** What is served, with the weights of 2025. */
export const endpoints: Readonly<Record<string, Endpoint>> = {
  '/api/v3/ping': { weight: 1, answer: () => ({}) },
  '/api/v3/time': { weight: 1, answer: (exchange, _, factor) => ({ serverTime: exchange.now() * factor }) },
  '/api/v3/exchangeInfo': { weight: 20, answer: exchangeInfo },
  '/api/v3/trades': { weight: 25, answer: recentTrades },
  '/api/v3/historicalTrades': { weight: 25, answer: historicalTrades },
  '/api/v3/aggTrades': { weight: 4, answer: aggregateTrades },
  '/api/v3/klines': { weight: 2, answer: klines },
  '/api/v3/ticker/24hr': { weight: statisticsWeight, answer: statistics },
}

/** What a request costs, whatever its answer. */
export function weightOf({ weight }: Endpoint, params: URLSearchParams): number {
  return typeof weight === 'number' ? weight : weight(params)
}

/** The answer to a request that has passed the gate. */
export async function answerRest(
  exchange: Exchange,
  endpoint: Endpoint,
  params: URLSearchParams,
  factor: TimeFactor,
): Promise<{ status: number; body: string }> {
  try {
    const answer = await endpoint.answer(exchange, new RestQuery(params, exchange.tapes), factor)
    return { status: 200, body: JSON.stringify(answer) }
  } catch (error) {
    const told =
      error instanceof TooManyTradesError ? new RestError(-1008, 'Server is currently overloaded.', 503) : error
    if (!(told instanceof RestError)) throw error
    return { status: told.status, body: JSON.stringify({ code: told.code, msg: told.message }) }
  }
}

function exchangeInfo(exchange: Exchange, query: RestQuery, factor: TimeFactor) {
  return {
    timezone: 'UTC',
    serverTime: exchange.now() * factor,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6000 },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: query.tapes().map(symbolInfo),
  }
}

function symbolInfo(tape: Tape) {
  const { symbol, baseAsset, quoteAsset, priceDecimals, quantityDecimals } = tape.history.rules
  const tickSize = textOfSteps(1, priceDecimals)
  const stepSize = textOfSteps(1, quantityDecimals)
  return {
    symbol,
    status: tape.halted ? 'HALT' : 'TRADING',
    baseAsset,
    baseAssetPrecision: 8,
    quoteAsset,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    orderTypes: ['LIMIT', 'MARKET'],
    isSpotTradingAllowed: true,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '900000000000.00000000', stepSize },
    ],
    permissions: ['SPOT'],
    // Ours: whoever shows these prices is to say what they are.
    simulated: true,
  }
}

function tradeRow(trade: Trade, factor: TimeFactor) {
  return {
    id: trade.tradeId,
    price: trade.price,
    qty: trade.quantity,
    quoteQty: quoteQuantityOf(trade),
    time: trade.tradeTime * factor,
    isBuyerMaker: trade.buyerIsMaker,
    isBestMatch: true,
  }
}

function recentTrades(_: Exchange, query: RestQuery, factor: TimeFactor) {
  const tape = query.tape()
  return tape.readBack(tape.end, query.limit()).map(trade => tradeRow(trade, factor))
}

function historicalTrades(exchange: Exchange, query: RestQuery, factor: TimeFactor) {
  const tape = query.tape()
  const fromId = query.id('fromId')
  if (fromId === undefined) return recentTrades(exchange, query, factor)
  return tape.readFromId(fromId, query.limit()).map(trade => tradeRow(trade, factor))
}

function aggregateTrades(exchange: Exchange, query: RestQuery, factor: TimeFactor) {
  const tape = query.tape()
  const limit = query.limit()
  const fromId = query.id('fromId')
  const startTime = query.time('startTime')
  const endTime = query.time('endTime')
  if (fromId !== undefined && (startTime !== undefined || endTime !== undefined)) {
    throw new RestError(-1128, 'Combination of optional parameters invalid.')
  }
  const to = endTime ?? exchange.now()
  const found =
    fromId !== undefined
      ? aggregatesFromId(tape, fromId, limit)
      : startTime !== undefined
        ? aggregatesSince(tape, startTime, to, limit)
        : aggregatesUntil(tape, to, limit)
  return found.map(aggregate => ({
    a: aggregate.firstTradeId,
    p: aggregate.price,
    q: aggregate.quantity,
    f: aggregate.firstTradeId,
    l: aggregate.lastTradeId,
    T: aggregate.tradeTime * factor,
    m: aggregate.buyerIsMaker,
    M: true,
  }))
}

/** Oldest first from startTime where it is given, else the newest before endTime (or now). A halt leaves no rows. */
async function klines(exchange: Exchange, query: RestQuery, factor: TimeFactor) {
  const tape = query.tape()
  const interval = query.interval()
  const limit = query.limit()
  const intervalMs = intervals[interval]
  const startTime = query.time('startTime')
  const source = exchange.klines.get(tape.symbol)!
  const earliest = openTimeOf(exchange.market.startTime, intervalMs)
  const latest = openTimeOf(Math.min(query.time('endTime') ?? tape.time, tape.time), intervalMs) + intervalMs
  const rows: Bar[] = []
  if (startTime !== undefined) {
    let from = Math.max(earliest, Math.ceil(startTime / intervalMs) * intervalMs)
    while (rows.length < limit && from < latest) {
      const to = Math.min(latest, from + (limit - rows.length) * intervalMs)
      rows.push(...(await source.between(interval, from, to)))
      from = to
    }
  } else {
    let to = latest
    while (rows.length < limit && to > earliest) {
      const from = Math.max(earliest, to - (limit - rows.length) * intervalMs)
      rows.unshift(...(await source.between(interval, from, to)))
      to = from
    }
  }
  return rows.map(bar => {
    const text = barText(bar)
    return [
      bar.openTime * factor,
      text.open,
      text.high,
      text.low,
      text.close,
      text.baseVolume,
      closeTimeOf(bar.openTime, interval, factor),
      text.quoteVolume,
      bar.tradeCount,
      text.takerBuyBaseVolume,
      text.takerBuyQuoteVolume,
      '0',
    ]
  })
}
