import { EXCHANGE_SCALES, formatDecimal, type Trade } from '@chart/market'

/** How a symbol trades: prices walk by ticks, quantities are whole lots, as the exchange's filters want them. */
export interface GeneratedSymbol {
  readonly symbol: string
  /** Scaled by 10^8, like every price and quantity. */
  readonly price: bigint
  readonly tick: bigint
  readonly lot: bigint
  /** Largest quantity, in lots. */
  readonly lotsMax: number
}

/** Two decimals of price and five of quantity; the same the other way round; and none of quantity, in millions. */
export const GENERATED_SYMBOLS: readonly GeneratedSymbol[] = [
  { symbol: 'BTCUSDT', price: 6_183_763_000_000n, tick: 1_000_000n, lot: 1_000n, lotsMax: 40_000 },
  { symbol: 'ETHBTC', price: 4_217_000n, tick: 1_000n, lot: 10_000n, lotsMax: 90_000 },
  { symbol: 'PEPEUSDT', price: 1_042n, tick: 1n, lot: 100_000_000n, lotsMax: 80_000_000 },
]

/** Midnight, so that every interval begins with the first trade. */
export const START_TIME = Date.UTC(2025, 0, 3)

/** `count` trades of `of` with ids from 1 on, `perSecond` of them in each second of the exchange, always the same. */
export function generatedTrades(of: GeneratedSymbol, count: number, perSecond: number): Trade[] {
  const random = randomFrom(count + of.symbol.length)
  const trades: Trade[] = []
  let { price } = of
  for (let tradeId = 1; tradeId <= count; tradeId++) {
    const steps = Math.floor(random() * 7) - 3
    if (price + BigInt(steps) * of.tick > of.tick) price += BigInt(steps) * of.tick
    // Most quantities are small and a few are large.
    const lots = 1 + Math.floor(random() ** 4 * of.lotsMax)
    trades.push({
      tradeId,
      tradeTime: START_TIME + Math.floor((tradeId * 1_000) / perSecond),
      price,
      quantity: BigInt(lots) * of.lot,
      takerSide: random() < 0.5 ? 'buy' : 'sell',
    })
  }
  return trades
}

/** Numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A trade as a program without our types has it: decimals as the exchange prints them. */
export interface PrintedTrade {
  readonly tradeId: number
  readonly tradeTime: number
  readonly price: string
  readonly quantity: string
  readonly side: 'b' | 's'
}

export function printedTrade({ tradeId, tradeTime, price, quantity, takerSide }: Trade): PrintedTrade {
  return {
    tradeId,
    tradeTime,
    price: formatDecimal(price, EXCHANGE_SCALES.price),
    quantity: formatDecimal(quantity, EXCHANGE_SCALES.quantity),
    side: takerSide === 'buy' ? 'b' : 's',
  }
}

/** One text field with all of it; shorter than JSON, and a stream stores no field names for it. */
export function lineOf({ tradeId, tradeTime, price, quantity, side }: PrintedTrade): string {
  return `${tradeId},${tradeTime},${price},${quantity},${side}`
}
