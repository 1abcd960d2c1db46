import type { BarText, Interval, Trade } from '@chart/market'
import type { SymbolMarket } from './market.ts'

/** The twelve values of a bar that trades decide. */
export type OracleBar = Pick<
  BarText,
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'baseVolume'
  | 'quoteVolume'
  | 'takerBuyBaseVolume'
  | 'takerBuyQuoteVolume'
  | 'tradeCount'
  | 'firstTradeId'
  | 'lastTradeId'
>

export const ORACLE_FIELDS = [
  ...(['open', 'high', 'low', 'close', 'baseVolume', 'quoteVolume', 'takerBuyBaseVolume'] as const),
  ...(['takerBuyQuoteVolume', 'tradeCount', 'firstTradeId', 'lastTradeId'] as const),
] as const

/** A bucket's bar after each of its trades, in id order. */
interface Step {
  readonly tradeId: number
  readonly bar: OracleBar
}

const SCALE = 8
const UNIT = 10n ** BigInt(SCALE)

/**
 * The bars of one symbol as they ought to be, made the obvious way: every trade after the seed goes into the bucket of its time, in id
 * order. It shares no code with the rules that it judges, and can tell how a bar has to look after any trade id.
 */
export class Oracle {
  readonly market: SymbolMarket
  readonly seedId: number
  readonly sinceTime: number
  /** The first trade after the seed: before its bar there are no flat bars. */
  readonly first: Trade | undefined
  readonly #steps = new Map<string, Map<number, Step[]>>()
  readonly #openTimes = new Map<string, number[]>()

  constructor(market: SymbolMarket, intervals: readonly Interval[], seedId: number, sinceTime: number) {
    this.market = market
    this.seedId = seedId
    this.sinceTime = sinceTime
    const trades = market.trades.map(({ trade }) => trade).filter(({ tradeId }) => tradeId > seedId)
    this.first = trades[0]
    for (const { name, intervalMs } of intervals) {
      const buckets = bucketsOf(trades, intervalMs)
      this.#steps.set(name, buckets)
      this.#openTimes.set(
        name,
        [...buckets.keys()].sort((a, b) => a - b),
      )
    }
  }

  /** The bar with the trades up to `throughId`; undefined when none of them is in it. */
  barAt(interval: string, openTime: number, throughId: number): OracleBar | undefined {
    return this.#steps
      .get(interval)
      ?.get(openTime)
      ?.findLast(step => step.tradeId <= throughId)?.bar
  }

  /**
   * The prices that a time without trades may repeat: the close of the newest earlier bucket with trades up to `throughId`, or the
   * price of a late trade with a higher id that lies before that bucket. Which of them depends on whether it came before the bar closed.
   */
  pricesBefore(interval: string, openTime: number, throughId: number): string[] {
    const before = this.#closeBefore(interval, openTime, throughId)
    if (before === undefined) return []
    const { trades } = this.market
    const prices = [before.close]
    for (let index = trades.length - 1; index >= 0; index--) {
      const { tradeId, tradeTime, price } = trades[index]!.trade
      if (tradeId <= before.lastTradeId) break
      if (tradeId <= throughId && tradeTime < openTime) prices.push(textOf(price))
    }
    return prices
  }

  /**
   * The prices that a time without trades may have repeated at any moment: those of all trades of the newest earlier bucket, and of late
   * ones. After Redis fell back, a flat bar of the first time and one of the second can have the same version.
   */
  pricesEverBefore(interval: Interval, openTime: number): string[] {
    const before = this.#closeBefore(interval.name, openTime, Number.POSITIVE_INFINITY)
    if (before === undefined) return []
    return this.market.trades
      .filter(({ trade }) => trade.tradeId >= before.firstTradeId && trade.tradeTime < openTime)
      .map(({ trade }) => textOf(trade.price))
  }

  #closeBefore(interval: string, openTime: number, throughId: number): OracleBar | undefined {
    const openTimes = this.#openTimes.get(interval)!
    for (let index = openTimes.length - 1; index >= 0; index--) {
      if (openTimes[index]! >= openTime) continue
      const bar = this.barAt(interval, openTimes[index]!, throughId)
      if (bar !== undefined) return bar
    }
    return undefined
  }

  /** Open times of all bars that have to exist before `until`, of a time without trades as well. */
  openTimes(interval: Interval, until: number): number[] {
    if (this.first === undefined) return []
    const { name, intervalMs } = interval
    const first = Math.floor(this.first.tradeTime / intervalMs) * intervalMs
    const earlier = this.#openTimes.get(name)!.filter(openTime => openTime < first)
    const all = [...earlier]
    for (let openTime = first; openTime < until; openTime += intervalMs) all.push(openTime)
    return all
  }

  /** Exchange holes after the seed: the bars that they may belong to are not complete. */
  get hasHoles(): boolean {
    return [...this.market.holes.keys()].some(tradeId => tradeId > this.seedId)
  }
}

function flatBarOf(price: string): OracleBar {
  const zero = textOf(0n)
  return {
    open: price,
    high: price,
    low: price,
    close: price,
    baseVolume: zero,
    quoteVolume: zero,
    takerBuyBaseVolume: zero,
    takerBuyQuoteVolume: zero,
    tradeCount: 0,
    firstTradeId: -1,
    lastTradeId: -1,
  }
}

/** What is wrong with `bar`, which is to hold the trades up to `throughId`, in words; undefined when it is right. */
export function faultOf(oracle: Oracle, bar: OracleBar & Pick<BarText, 'interval' | 'openTime'>, throughId: number) {
  const expected = oracle.barAt(bar.interval, bar.openTime, throughId)
  if (expected !== undefined) return differenceOf(bar, expected)
  const prices = oracle.pricesBefore(bar.interval, bar.openTime, throughId)
  if (prices.length === 0) return 'there is nothing that it could be made of'
  return differenceOf(bar, flatBarOf(prices.find(price => price === bar.close) ?? prices[0]!))
}

/** The name of the first field that differs; undefined when none does. */
export function differenceOf(bar: OracleBar, expected: OracleBar): string | undefined {
  const field = ORACLE_FIELDS.find(name => bar[name] !== expected[name])
  return field === undefined ? undefined : `${field} is ${bar[field]}, not ${expected[field]}`
}

function bucketsOf(trades: readonly Trade[], intervalMs: number): Map<number, Step[]> {
  const gathered = new Map<number, Trade[]>()
  for (const trade of trades) {
    const openTime = trade.tradeTime - (trade.tradeTime % intervalMs)
    const bucket = gathered.get(openTime)
    if (bucket === undefined) gathered.set(openTime, [trade])
    else bucket.push(trade)
  }
  return new Map([...gathered].map(([openTime, bucket]) => [openTime, stepsOf(bucket)]))
}

function stepsOf(bucket: readonly Trade[]): Step[] {
  const sums = { base: 0n, quote: 0n, boughtBase: 0n, boughtQuote: 0n }
  const first = bucket[0]!
  let high = first.price
  let low = first.price
  return bucket.map(({ tradeId, price, quantity, takerSide }, index) => {
    const quote = (price * quantity) / UNIT
    sums.base += quantity
    sums.quote += quote
    if (takerSide === 'buy') {
      sums.boughtBase += quantity
      sums.boughtQuote += quote
    }
    if (price > high) high = price
    if (price < low) low = price
    const bar = {
      open: textOf(first.price),
      high: textOf(high),
      low: textOf(low),
      close: textOf(price),
      baseVolume: textOf(sums.base),
      quoteVolume: textOf(sums.quote),
      takerBuyBaseVolume: textOf(sums.boughtBase),
      takerBuyQuoteVolume: textOf(sums.boughtQuote),
      tradeCount: index + 1,
      firstTradeId: first.tradeId,
      lastTradeId: tradeId,
    }
    return { tradeId, bar }
  })
}

/** At eight decimals, as the exchange prints it. */
function textOf(value: bigint): string {
  const digits = value.toString().padStart(SCALE + 1, '0')
  return `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`
}
