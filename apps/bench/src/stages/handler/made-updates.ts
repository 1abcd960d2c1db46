import { encodeBar, encodeUpdate } from '@chart/grpc'
import {
  applyTradeToBar,
  barOfTrade,
  EXCHANGE_SCALES,
  intervalOf,
  packTrades,
  type Trade,
  textOfBar,
} from '@chart/market'

export const SYMBOL = 'BTCUSDT'
export const INTERVAL = intervalOf('1m')
/** A whole minute; every trade falls into it. */
const OPEN_TIME = Date.UTC(2026, 0, 1)
const PRICES = 1_000

/** Updates of one symbol as an aggregator publishes them: the live bar after each trade, and the trade. */
export function madeUpdates(count: number): Buffer[] {
  let bar = barOfTrade(SYMBOL, INTERVAL, OPEN_TIME, tradeOf(1), EXCHANGE_SCALES, true)
  return Array.from({ length: count }, (_, index) => {
    const trade = tradeOf(index + 2)
    bar = applyTradeToBar(bar, trade, EXCHANGE_SCALES)
    const live = {
      interval: INTERVAL.name,
      openTime: OPEN_TIME,
      corrected: false,
      bar: encodeBar(textOfBar(bar, EXCHANGE_SCALES)),
    }
    const update = {
      symbol: SYMBOL,
      throughTradeId: trade.tradeId,
      throughTime: trade.tradeTime,
      live: [live],
      closed: [],
      trades: [packTrades([trade], EXCHANGE_SCALES)],
    }
    return Buffer.from(encodeUpdate({ position: index + 1, previousPosition: index, symbols: [update] }))
  })
}

/** What Redis holds before the first of them. */
export function barBefore() {
  return textOfBar(barOfTrade(SYMBOL, INTERVAL, OPEN_TIME, tradeOf(1), EXCHANGE_SCALES, true), EXCHANGE_SCALES)
}

function tradeOf(tradeId: number): Trade {
  return {
    tradeId,
    tradeTime: OPEN_TIME + Math.floor(tradeId / 1_000),
    price: 6_183_763_000_000n + BigInt((tradeId * 7_919) % PRICES) * 1_000_000n,
    quantity: BigInt((tradeId % 13) + 1) * 1_000n,
    takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
  }
}
