import { type BarText, formatDecimal } from '@chart/market'

/** Closed 1m bars of many symbols, as a busy minute after the other brings them. Always the same ones. */

const SYMBOLS = 300
const MINUTE_MS = 60_000
const FIRST_TIME = Date.UTC(2025, 0, 1)
/** What the exchange prints; all of it has eight decimals. */
const SCALE = 8
const ONE = 10n ** BigInt(SCALE)

/** Digits differ from symbol to symbol: 61837.63, 0.05121 and 0.00001129 with quantities in millions. */
const KINDS = [
  { name: 'BTC', price: 6_183_763_000_000n, tick: 1_000_000n, quantity: 1_000n },
  { name: 'ETH', price: 5_121_000n, tick: 1_000n, quantity: 10_000n },
  { name: 'PEPE', price: 1_129n, tick: 1n, quantity: 100_000_000n },
] as const

/** `count` bars that differ in symbol or minute. */
export function madeBars(count: number): BarText[] {
  return Array.from({ length: count }, (_, index) => madeBar(index))
}

function madeBar(index: number): BarText {
  const symbol = index % SYMBOLS
  const { name, price, tick, quantity } = KINDS[symbol % KINDS.length]!
  const random = randomOf(index)
  const low = price + tick * random(500)
  const high = low + tick * (random(60) + 2n)
  const open = low + tick * random(2)
  const close = high - tick * random(2)
  const baseVolume = quantity * (random(9_000_000) + 1_000n)
  const takerBuyBaseVolume = baseVolume / 2n
  const tradeCount = Number(random(2_000)) + 1
  const firstTradeId = 4_000_000_000 + index * 2_000
  const openTime = FIRST_TIME + Math.floor(index / SYMBOLS) * MINUTE_MS
  const text = (value: bigint) => formatDecimal(value, SCALE)
  return {
    symbol: `${name}${symbol}USDT`,
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE_MS - 1,
    open: text(open),
    high: text(high),
    low: text(low),
    close: text(close),
    baseVolume: text(baseVolume),
    quoteVolume: text((baseVolume * close) / ONE),
    takerBuyBaseVolume: text(takerBuyBaseVolume),
    takerBuyQuoteVolume: text((takerBuyBaseVolume * close) / ONE),
    tradeCount,
    firstTradeId,
    lastTradeId: firstTradeId + tradeCount - 1,
    state: 'closed',
    revision: 0,
    complete: true,
  }
}

/** Numbers below a bound, by xorshift from `seed`. */
function randomOf(seed: number): (below: number) => bigint {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return BigInt((state >>> 0) % below)
  }
}
