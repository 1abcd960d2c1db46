import { priceFactor } from './price-path.ts'
import { createRandom, hash } from './random.ts'
import type { SymbolRules } from './symbol-rules.ts'
import { type Trade, textOfSteps } from './trade.ts'

/** A late trade's time lies up to this before the moment it is sent, ms. */
export const lateByMsMax = 5000
/** …and at most this before its predecessor's. */
const stepBackMsMax = 3000

export interface SecondOptions {
  readonly rules: SymbolRules
  readonly symbolSeed: number
  /** Start of the second, ms. */
  readonly time: number
  readonly count: number
  readonly firstTradeId: number
  readonly lateShare: number
  /** No trade time before it, ms. */
  readonly genesisTime: number
}

/** A usual trade in units of the quote asset; about 100 dollars. */
const usualValues: Readonly<Record<string, number>> = { BTC: 0.0015, ETH: 0.03, BNB: 0.15, TRY: 3000, JPY: 15_000 }

/**
 * The trades of one second: orders arrive spread over it, and each fills one or more makers at one time and on one side,
 * walking away from the best price as it eats. The same options give the same trades, to the last character.
 */
export function generateSecond(options: SecondOptions): Trade[] {
  const { rules, symbolSeed, time, count, lateShare, genesisTime } = options
  const random = createRandom(hash(symbolSeed, time / 1000, 6))
  const orders = orderSizes(count, random)
  const tick = 10 ** -rules.priceDecimals
  const from = (rules.startPrice / tick) * priceFactor(symbolSeed, time / 1000)
  const to = (rules.startPrice / tick) * priceFactor(symbolSeed, time / 1000 + 1)
  const usualSteps = ((usualValues[rules.quoteAsset] ?? 100) / (from * tick)) * 10 ** rules.quantityDecimals
  const trades: Trade[] = []
  let previousTime = time
  for (let order = 0; order < orders.length; order++) {
    const part = (order + random()) / orders.length
    const eventTime = time + Math.floor(part * 1000)
    const buyerIsMaker = random() < 0.5
    const middle = from + (to - from) * part
    // The best price flickers by about 0.002 % around the path.
    const best = Math.round(middle * (1 + (random() - 0.5) * 4e-5))
    for (let fill = 0; fill < orders[order]!; fill++) {
      const away = Math.floor(fill / 4)
      const ticks = Math.max(1, buyerIsMaker ? best - away : best + 1 + away)
      const late = lateShare > 0 && random() < lateShare
      const stepBackMs = late ? 1 + Math.floor((stepBackMsMax - 1) * random() ** 6) : 0
      const earliest = Math.max(genesisTime, eventTime - lateByMsMax)
      const tradeTime = late ? Math.max(earliest, previousTime - stepBackMs) : eventTime
      previousTime = tradeTime
      trades.push({
        tradeId: options.firstTradeId + trades.length,
        price: textOfSteps(ticks, rules.priceDecimals),
        quantity: textOfSteps(quantitySteps(usualSteps, random), rules.quantityDecimals),
        tradeTime,
        eventTime,
        buyerIsMaker,
      })
    }
  }
  return trades
}

/** `count` fills cut into orders: half of one fill, some of dozens, rarely most of the second. */
function orderSizes(count: number, random: () => number): number[] {
  const sizes: number[] = []
  for (let left = count; left > 0; ) {
    const size = Math.min(left, Math.floor(1 / (random() + 0.002)) || 1)
    sizes.push(size)
    left -= size
  }
  return sizes
}

/** Heavy-tailed around `usual`: the median is about 0.4 of it, one in a thousand is above a hundred times as large. */
function quantitySteps(usual: number, random: () => number): number {
  return Math.max(1, Math.floor(usual * 0.25 * (random() + 0.0001) ** -0.9))
}
