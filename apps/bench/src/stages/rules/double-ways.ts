import { TRADED_SYMBOLS, type TradeRow } from '../../harness/generated-trades.ts'
import { type BarAsText, textOfDouble, type Way } from './bars-as-text.ts'

/** The floors: 1m bars in doubles, with nothing of what keeps ours exact or safe. */

const MINUTE_MS = 60_000

class DoubleBar {
  readonly symbol: string
  readonly openTime: number
  open: number
  high: number
  low: number
  close: number
  tradeCount = 0
  baseVolume = 0
  takerBuyBaseVolume = 0
  quoteVolume = 0
  takerBuyQuoteVolume = 0

  constructor(symbol: string, openTime: number, price: number) {
    this.symbol = symbol
    this.openTime = openTime
    this.open = price
    this.high = price
    this.low = price
    this.close = price
  }

  add(price: number, quantity: number, takerBought: boolean): void {
    if (price > this.high) this.high = price
    if (price < this.low) this.low = price
    this.close = price
    this.tradeCount++
    this.baseVolume += quantity
    this.quoteVolume += price * quantity
    if (!takerBought) return
    this.takerBuyBaseVolume += quantity
    this.takerBuyQuoteVolume += price * quantity
  }

  asText(): BarAsText {
    const { symbol, openTime, tradeCount, baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume } = this
    return {
      symbol,
      interval: '1m',
      openTime,
      numbers: [
        ...[this.open, this.high, this.low, this.close].map(textOfDouble),
        String(tradeCount),
        ...[baseVolume, takerBuyBaseVolume, quoteVolume, takerBuyQuoteVolume].map(textOfDouble),
      ],
    }
  }
}

/** The same text as ours, turned into doubles. */
export const doubles: Way = rows => () => {
  const live = new Map<string, DoubleBar>()
  const closed: DoubleBar[] = []
  for (const row of rows) {
    const price = Number(row.price)
    const openTime = row.time - (row.time % MINUTE_MS)
    let bar = live.get(row.symbol)
    if (bar?.openTime !== openTime) {
      if (bar !== undefined) closed.push(bar)
      bar = new DoubleBar(row.symbol, openTime, price)
      live.set(row.symbol, bar)
    }
    bar.add(price, Number(row.qty), !row.isBuyerMaker)
  }
  return () => [...closed, ...live.values()].map(bar => bar.asText())
}

/** The doubles are there already, in typed arrays: what adding costs when nothing else is done. */
export const typedArrays: Way = rows => {
  const { symbols, prices, quantities, times, bought } = columnsOf(rows)
  return () => {
    const live: (DoubleBar | undefined)[] = TRADED_SYMBOLS.map(() => undefined)
    const closed: DoubleBar[] = []
    for (let index = 0; index < prices.length; index++) {
      const symbol = symbols[index]!
      const openTime = times[index]! - (times[index]! % MINUTE_MS)
      let bar = live[symbol]
      if (bar?.openTime !== openTime) {
        if (bar !== undefined) closed.push(bar)
        bar = new DoubleBar(TRADED_SYMBOLS[symbol]!, openTime, prices[index]!)
        live[symbol] = bar
      }
      bar.add(prices[index]!, quantities[index]!, bought[index] === 1)
    }
    return () => [...closed, ...live.filter(bar => bar !== undefined)].map(bar => bar.asText())
  }
}

function columnsOf(rows: readonly TradeRow[]) {
  return {
    symbols: Uint8Array.from(rows, ({ symbol }) => TRADED_SYMBOLS.indexOf(symbol)),
    prices: Float64Array.from(rows, ({ price }) => Number(price)),
    quantities: Float64Array.from(rows, ({ qty }) => Number(qty)),
    times: Float64Array.from(rows, ({ time }) => time),
    bought: Uint8Array.from(rows, ({ isBuyerMaker }) => (isBuyerMaker ? 0 : 1)),
  }
}
