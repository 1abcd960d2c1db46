import type { TradeRow } from '../../harness/generated-trades.ts'
import type { BarAsText } from './bars-as-text.ts'

/** Bars made the obvious way, to judge the others by; it shares no code with the product. */

const INTERVALS_MS: Readonly<Record<string, number>> = {
  '1s': 1_000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
}

interface ReferenceBar {
  readonly prices: bigint[]
  tradeCount: number
  baseVolume: bigint
  takerBuyBaseVolume: bigint
  quoteVolume: bigint
  takerBuyQuoteVolume: bigint
}

export type ReferenceBars = ReadonlyMap<string, readonly string[]>

/** The numbers of each bar that has trades, by its key. */
export function referenceBars(rows: readonly TradeRow[], intervals = Object.keys(INTERVALS_MS)): ReferenceBars {
  const bars = new Map<string, ReferenceBar>()
  for (const row of rows) {
    for (const interval of intervals) {
      const openTime = Math.floor(row.time / INTERVALS_MS[interval]!) * INTERVALS_MS[interval]!
      const key = keyOf({ symbol: row.symbol, interval, openTime })
      const bar = bars.get(key) ?? emptyBar()
      bars.set(key, bar)
      addTo(bar, row)
    }
  }
  return new Map([...bars].map(([key, bar]) => [key, numbersOf(bar)]))
}

/** How many of `bars` are not as the reference has them, and how many that one has and they do not. */
export function differencesOf(bars: readonly BarAsText[], reference: ReferenceBars): { wrong: number; absent: number } {
  const keys = new Set(bars.map(keyOf))
  const wrong = bars.filter(bar => {
    const expected = reference.get(keyOf(bar))
    return expected === undefined || bar.numbers.some((number, index) => number !== expected[index])
  })
  return { wrong: wrong.length, absent: [...reference.keys()].filter(key => !keys.has(key)).length }
}

function keyOf({ symbol, interval, openTime }: Pick<BarAsText, 'symbol' | 'interval' | 'openTime'>): string {
  return `${symbol} ${interval} ${openTime}`
}

function emptyBar(): ReferenceBar {
  return {
    prices: [],
    tradeCount: 0,
    baseVolume: 0n,
    takerBuyBaseVolume: 0n,
    quoteVolume: 0n,
    takerBuyQuoteVolume: 0n,
  }
}

function addTo(bar: ReferenceBar, { price, qty, isBuyerMaker }: TradeRow): void {
  const units = BigInt(price.replace('.', ''))
  const quantity = BigInt(qty.replace('.', ''))
  const quote = (units * quantity) / 100_000_000n
  bar.prices.push(units)
  bar.tradeCount += 1
  bar.baseVolume += quantity
  bar.quoteVolume += quote
  if (isBuyerMaker) return
  bar.takerBuyBaseVolume += quantity
  bar.takerBuyQuoteVolume += quote
}

function numbersOf(bar: ReferenceBar): string[] {
  let [high, low] = [bar.prices[0]!, bar.prices[0]!]
  for (const price of bar.prices) {
    if (price > high) high = price
    if (price < low) low = price
  }
  const { baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume } = bar
  return [
    ...[bar.prices[0]!, high, low, bar.prices.at(-1)!].map(decimalOf),
    String(bar.tradeCount),
    ...[baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume].map(decimalOf),
  ]
}

function decimalOf(units: bigint): string {
  const digits = units.toString().padStart(9, '0')
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`
}
