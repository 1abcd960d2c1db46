import { barOfKline, type ExchangeRest, type Kline, tradesFrom } from '@chart/binance'
import {
  applyTradeToBar,
  type Bar,
  type BarText,
  barOfTrade,
  type Interval,
  type Scales,
  textOfBar,
} from '@chart/market'
import type { Log } from '@chart/service'

/**
 * A trade may be told with a time before that of a lower id. Up to this long after the end of a bar such trades are looked for; on spot
 * none was ever recorded.
 */
const LATE_MS = 1_000

export interface RebuildOptions {
  readonly rest: Pick<ExchangeRest, 'firstTradeIdSince' | 'latestTradeId' | 'tradeRows'>
  readonly symbol: string
  readonly interval: Interval
  readonly scales: Scales
  readonly signal: AbortSignal
  readonly log: Log
}

/**
 * The closed bar of `kline`'s time, made anew from what the exchange says besides the kline: a minute out of its trades, any other bar
 * out of the kline's numbers and the ids of the trades around its two ends. Undefined when the two cannot belong together.
 * @throws RestError
 */
export function rebuildBar(kline: Kline, options: RebuildOptions): Promise<BarText | undefined> {
  if (kline.tradeCount === 0) return Promise.resolve({ ...numbersOf(kline, options), complete: true })
  return options.interval.name === '1m' ? minuteOfTrades(kline, options) : barWithIds(kline, options)
}

/** Costs 25 of the exchange's weight for each thousand trades. */
async function minuteOfTrades(kline: Kline, options: RebuildOptions): Promise<BarText | undefined> {
  const { rest, symbol, interval, scales, signal, log } = options
  const { openTime } = kline
  const nextOpenTime = openTime + interval.intervalMs
  const firstId = await rest.firstTradeIdSince(symbol, openTime)
  if (firstId === undefined) return undefined
  let bar: Bar | undefined
  let jumped = false
  let complete = true
  pages: for await (const { trades, holeUpTo } of tradesFrom(rest, symbol, firstId, { signal, log })) {
    jumped ||= holeUpTo !== undefined
    for (const trade of trades) {
      if (trade.tradeTime >= nextOpenTime + LATE_MS) break pages
      if (trade.tradeTime < openTime || trade.tradeTime >= nextOpenTime) continue
      bar =
        bar === undefined
          ? barOfTrade(symbol, interval, openTime, trade, scales, true)
          : applyTradeToBar(bar, trade, scales)
      // A hole after the last trade is none of this bar's.
      if (jumped) complete = false
    }
  }
  return bar && textOfBar({ ...bar, state: 'closed', complete }, scales)
}

/** Two calls of weight 4. The bar is complete when there are as many trades as ids. */
async function barWithIds(kline: Kline, options: RebuildOptions): Promise<BarText | undefined> {
  const { rest, symbol, interval } = options
  const firstTradeId = await rest.firstTradeIdSince(symbol, kline.openTime)
  const nextId = await rest.firstTradeIdSince(symbol, kline.openTime + interval.intervalMs)
  const lastTradeId = nextId === undefined ? await rest.latestTradeId(symbol) : nextId - 1
  if (firstTradeId === undefined || lastTradeId === undefined) return undefined
  const idCount = lastTradeId - firstTradeId + 1
  if (idCount < kline.tradeCount) return undefined
  return { ...numbersOf(kline, options), firstTradeId, lastTradeId, complete: idCount === kline.tradeCount }
}

function numbersOf(kline: Kline, { symbol, interval }: RebuildOptions): BarText {
  const { proof, ...numbers } = barOfKline(symbol, interval.name, kline)
  return numbers
}
