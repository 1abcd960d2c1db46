import { EXCHANGE_SCALES, type Trade } from '@chart/market'
import type { Random } from './random.ts'

/** A trade and when the exchange tells of it. */
export interface MarketTrade {
  readonly trade: Trade
  /** Moment at which feed and REST have it. */
  readonly publishTime: number
}

/** Everything that one symbol will trade in a run, in id order. */
export interface SymbolMarket {
  readonly symbol: string
  readonly trades: readonly MarketTrade[]
  /** Ids that the exchange itself passes over: the id after each hole, to how many are missing. */
  readonly holes: ReadonlyMap<number, number>
}

/** How wild a market is; all chances are for each trade. */
export interface MarketMood {
  readonly meanPauseMs: number
  readonly burst: number
  readonly silence: number
  readonly boundary: number
  readonly hole: number
  /** The trade time lies a little before that of the trade with the id before. */
  readonly backwards: number
  /** The exchange tells of it later than a watermark waits. */
  readonly late: number
}

/** Silences are shorter than what late trades can mend (ten bars of a second), see DESIGN.md on audits. */
const SILENCE_MS = { min: 1_000, max: 4_500 }
const BURST_TRADES = { min: 4, max: 14 }
const BACKWARDS_MS = { min: 1, max: 250 }
const LATE_MS = { min: 600, max: 2_500 }
/** From the match to the first byte on the feed; the slowest recorded was 300 ms. */
const PUBLISH_MS = { shortest: 1, mean: 12, longest: 300 }
const SECOND_MS = 1_000
const UNITS = 10 ** EXCHANGE_SCALES.price

export function drawMarket(
  symbol: string,
  from: number,
  until: number,
  mood: MarketMood,
  random: Random,
): SymbolMarket {
  const trades: MarketTrade[] = []
  const holes = new Map<number, number>()
  let tradeId = random.integer(0, 3) === 0 ? random.integer(0, 2) : random.integer(1_000, 9_000_000)
  let matchTime = from + random.integer(0, 700)
  let publishTime = 0
  let price = random.integer(50, 90_000)
  let burstLeft = 0
  while (matchTime < until) {
    price = Math.max(1, price + random.integer(-3, 3))
    const late = random.chance(mood.late)
    const backwards = !late && random.chance(mood.backwards)
    const lag = late ? random.integer(LATE_MS.min, LATE_MS.max) : 0
    const back = backwards ? random.integer(BACKWARDS_MS.min, BACKWARDS_MS.max) : 0
    publishTime = Math.max(
      publishTime,
      matchTime + random.latency(PUBLISH_MS.shortest, PUBLISH_MS.mean, PUBLISH_MS.longest),
    )
    const trade: Trade = {
      tradeId,
      tradeTime: Math.max(from, matchTime - lag - back),
      price: BigInt(price) * BigInt(UNITS) + BigInt(random.integer(0, UNITS - 1)),
      quantity: BigInt(random.integer(1, 5 * UNITS)),
      takerSide: random.chance(0.5) ? 'buy' : 'sell',
    }
    trades.push({ trade, publishTime })
    tradeId++
    if (random.chance(mood.hole)) {
      const missing = random.integer(1, 3)
      tradeId += missing
      holes.set(tradeId, missing)
    }
    if (burstLeft > 0) burstLeft--
    else if (random.chance(mood.burst)) burstLeft = random.integer(BURST_TRADES.min, BURST_TRADES.max)
    matchTime = nextMatchTime(matchTime, burstLeft > 0, mood, random)
  }
  return { symbol, trades, holes }
}

function nextMatchTime(time: number, inBurst: boolean, mood: MarketMood, random: Random): number {
  if (inBurst) return time + random.integer(0, 2)
  if (random.chance(mood.silence)) return time + random.integer(SILENCE_MS.min, SILENCE_MS.max)
  if (random.chance(mood.boundary)) {
    const boundary = (Math.floor(time / SECOND_MS) + 1) * SECOND_MS
    return boundary - random.integer(0, 1)
  }
  return time + Math.floor(random.latency(1, mood.meanPauseMs, 2_000))
}
