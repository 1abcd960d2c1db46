import { formatDecimal } from '@chart/market'

/** A trade as text, with the names that the exchange's REST API has for it. */
export interface TradeRow {
  readonly symbol: string
  readonly id: number
  /** `61837.63000000`, always with eight decimals. */
  readonly price: string
  readonly qty: string
  readonly time: number
  readonly isBuyerMaker: boolean
}

/** All trades of a second, over all symbols: a busy market, in which no minute is silent. */
const TRADES_PER_SECOND = 100

/** Five minutes before a UTC midnight, so that even a short run closes a bar of every interval. */
const FIRST_TIME = Date.UTC(2026, 0, 31, 23, 55)

const DECIMALS = 8

/** Units are 10^-8. */
interface Market {
  readonly symbol: string
  /** Of all trades. */
  readonly share: number
  readonly tick: number
  readonly step: number
  readonly usualQuantity: number
  price: number
  lastId: number
}

/**
 * Few digits and many, small quantities and such as no double holds at eight decimals. Price × quantity has eight decimals at most, so
 * cutting it off there takes nothing away: what another way of adding gets wrong, it gets wrong by itself.
 */
const newMarkets = (): Market[] => [
  {
    symbol: 'BTCUSDT',
    share: 0.5,
    tick: 1e6,
    step: 1e3,
    usualQuantity: 8e5,
    price: 6_183_763_000_000,
    lastId: 3_735_683_258,
  },
  {
    symbol: 'ETHUSDT',
    share: 0.35,
    tick: 1e6,
    step: 1e4,
    usualQuantity: 1.2e7,
    price: 263_141_000_000,
    lastId: 1_571_930_406,
  },
  { symbol: 'PEPEUSDT', share: 0.15, tick: 1, step: 1e8, usualQuantity: 8e14, price: 1_234, lastId: 219_406_112 },
]

export const TRADED_SYMBOLS: readonly string[] = newMarkets().map(({ symbol }) => symbol)

/** `count` trades, the same ones each time: prices walk tick by tick, quantities range over three powers of ten, some share a time. */
export function* generatedTrades(count: number): Generator<TradeRow, void, undefined> {
  const random = randomNumbers()
  const markets = newMarkets()
  let time = FIRST_TIME
  for (let made = 0; made < count; made++) {
    // A third of the trades comes in the same millisecond as the one before it: a large order meets several.
    if (random() > 1 / 3) time += -Math.log(1 - random()) * ((1.5 * 1_000) / TRADES_PER_SECOND)
    const market = pickedMarket(markets, random())
    market.price = Math.max(market.tick, market.price + market.tick * Math.floor(random() * 3 - 1))
    const quantity = market.usualQuantity * 10 ** (3 * (random() - 0.5))
    yield {
      symbol: market.symbol,
      id: ++market.lastId,
      price: formatDecimal(BigInt(market.price), DECIMALS),
      qty: formatDecimal(BigInt(Math.max(1, Math.round(quantity / market.step))) * BigInt(market.step), DECIMALS),
      time: Math.floor(time),
      isBuyerMaker: random() < 0.5,
    }
  }
}

function pickedMarket(markets: readonly Market[], at: number): Market {
  let rest = at
  for (const market of markets) {
    rest -= market.share
    if (rest < 0) return market
  }
  return markets[0]!
}

/** Numbers 0 ≤ r < 1, always the same ones: a linear congruence, whose high bits are random enough for a market. */
function randomNumbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
