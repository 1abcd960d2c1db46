import fc from 'fast-check'
import type { Bar } from './bar.ts'
import { applyTrade, applyWatermark } from './bar-series.ts'
import { EXCHANGE_SCALES } from './decimal.ts'
import { type Interval, intervalOf } from './interval.ts'
import { liveBarsOf, newChanges, newSymbolBars, type SymbolBars } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

/**
 * For tests only: bars made the slow and obvious way, by sorting trades into buckets, and the trades and runs to try them
 * on. It shares no code with the rules that it judges.
 */
export interface OracleBar {
  openTime: number
  open: bigint
  high: bigint
  low: bigint
  close: bigint
  baseVolume: bigint
  quoteVolume: bigint
  takerBuyBaseVolume: bigint
  takerBuyQuoteVolume: bigint
  tradeCount: number
  firstTradeId: number
  lastTradeId: number
}

/** The bars of `trades` by openTime; a bucket without trades has none. */
export function oracleBars(trades: readonly Trade[], intervalMs: number): Map<number, OracleBar> {
  const buckets = new Map<number, Trade[]>()
  for (const trade of trades) {
    const openTime = Number((BigInt(trade.tradeTime) / BigInt(intervalMs)) * BigInt(intervalMs))
    buckets.set(openTime, [...(buckets.get(openTime) ?? []), trade])
  }
  const bars = new Map<number, OracleBar>()
  for (const [openTime, unsorted] of buckets) {
    const bucket = unsorted.toSorted((a, b) => a.tradeId - b.tradeId)
    const prices = bucket.map(trade => trade.price).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const bought = bucket.filter(trade => trade.takerSide === 'buy')
    bars.set(openTime, {
      openTime,
      open: bucket[0]!.price,
      high: prices.at(-1)!,
      low: prices[0]!,
      close: bucket.at(-1)!.price,
      baseVolume: sum(bucket.map(trade => trade.quantity)),
      quoteVolume: sum(bucket.map(cutOffProduct)),
      takerBuyBaseVolume: sum(bought.map(trade => trade.quantity)),
      takerBuyQuoteVolume: sum(bought.map(cutOffProduct)),
      tradeCount: bucket.length,
      firstTradeId: bucket[0]!.tradeId,
      lastTradeId: bucket.at(-1)!.tradeId,
    })
  }
  return bars
}

/** Price × quantity at eight decimals, by cutting digits off the text: "…12345678|99999999" → "…12345678". */
function cutOffProduct(trade: Trade): bigint {
  return BigInt((trade.price * trade.quantity).toString().slice(0, -8) || '0')
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}

/** The twelve fields of `bar` that trades decide. */
export function numbersOf(bar: Bar): OracleBar {
  const { symbol, interval, state, revision, complete, ...numbers } = bar
  return numbers
}

export type Step = Trade | { readonly watermark: number; readonly tradeTime?: never }

/** What a run left behind: the newest revision of every bar ever told, by interval and openTime, and the live ones. */
export interface Run {
  readonly bars: SymbolBars
  readonly newest: Map<string, Map<number, Bar>>
  readonly changes: { duplicates: number; missing: number; late: number; beyondReach: number }
}

/**
 * Applies `steps` as a log would deliver them and keeps what was told, checking on the way that a bar is told first with
 * revision 0 and then with one more each time.
 * @param between what happens to the state between two steps, for example that it is written out and read back
 */
export function runOf(
  steps: readonly Step[],
  start: SymbolBars,
  between: (bars: SymbolBars) => SymbolBars = bars => bars,
  intervals: readonly Interval[] = start.series.map(series => series.interval),
): Run {
  const newest = new Map<string, Map<number, Bar>>(intervals.map(interval => [interval.name, new Map()]))
  const counts = { duplicates: 0, missing: 0, late: 0, beyondReach: 0 }
  let bars = start
  for (const step of steps) {
    bars = between(bars)
    const changes = newChanges()
    if ('watermark' in step) applyWatermark(bars, step.watermark, changes)
    else applyTrade(bars, step, changes)
    counts.duplicates += changes.duplicates
    counts.missing += changes.missing
    counts.late += changes.late
    counts.beyondReach += changes.beyondReach.length
    for (const bar of changes.closed) {
      const told = newest.get(bar.interval)!
      const before = told.get(bar.openTime)
      const expected = before === undefined ? 0 : before.revision + 1
      if (bar.revision !== expected || bar.state !== 'closed') {
        throw new Error(`${bar.interval} ${bar.openTime} told as ${bar.state} ${bar.revision}, expected ${expected}`)
      }
      told.set(bar.openTime, bar)
    }
  }
  return { bars, newest, changes: counts }
}

/** Every bar of one interval after a run, closed and live, by openTime. */
export function barsOfRun(run: Run, interval: Interval): Map<number, Bar> {
  const all = new Map(run.newest.get(interval.name))
  const live = liveBarsOf(run.bars).find(bar => bar?.interval === interval.name)
  if (live !== undefined) {
    if (all.has(live.openTime)) throw new Error(`${interval.name} ${live.openTime} is both closed and live`)
    all.set(live.openTime, live)
  }
  return all
}

/** The state before `trades`, of which the predecessor of the first is known. */
export function startBefore(trades: readonly Trade[], intervals: readonly Interval[], sinceTime = 0): SymbolBars {
  return newSymbolBars('TESTUSDT', intervals, EXCHANGE_SCALES, (trades[0]?.tradeId ?? 0) - 1, sinceTime)
}

export const SEVEN = ['1s', '1m', '5m', '15m', '1h', '4h', '1d'].map(intervalOf)

/** Lists of intervals: the default chain, one without seconds, trees in which a minute has several parents, one alone. */
export const intervalLists: fc.Arbitrary<readonly Interval[]> = fc.constantFrom(
  SEVEN,
  ['1m', '5m', '1h', '1d'].map(intervalOf),
  ['1s', '1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'].map(intervalOf),
  ['1m', '3m', '5m'].map(intervalOf),
  ['1m'].map(intervalOf),
  ['1s', '5m', '8h', '12h'].map(intervalOf),
)

/** Five minutes to midnight, so that short runs cross a day, and with it every other boundary. */
const START_TIME = 1_723_161_600_000 - 300_000

/** Milliseconds from one trade to the next: none, bursts, seconds, minutes, or up to exactly the next boundary. */
const pauses = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 900 }) },
  { weight: 4, arbitrary: fc.integer({ min: 901, max: 8_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 8_001, max: 1_500_000 }) },
  { weight: 2, arbitrary: fc.constantFrom<'1s' | '1m' | '5m'>('1s', '1m', '5m') },
)

const amounts = fc.oneof(
  { weight: 5, arbitrary: fc.bigInt({ min: 1n, max: 10_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 10n ** 18n }) },
)

/** Trades with ids from `1000` without a hole and times that never decrease. */
export function tradeLists(lengthMax = 50): fc.Arbitrary<Trade[]> {
  const one = fc.record({
    pause: pauses,
    price: amounts,
    quantity: amounts,
    takerSide: fc.constantFrom<'buy' | 'sell'>('buy', 'sell'),
  })
  return fc
    .tuple(fc.integer({ min: 0, max: 299_999 }), fc.array(one, { minLength: 1, maxLength: lengthMax }))
    .map(([offset, list]) => {
      let tradeTime = START_TIME + offset
      return list.map(({ pause, ...trade }, index) => {
        if (typeof pause === 'number') tradeTime += pause
        else {
          const { intervalMs } = intervalOf(pause)
          tradeTime = (Math.floor(tradeTime / intervalMs) + 1) * intervalMs
        }
        return { tradeId: 1_000 + index, tradeTime, ...trade }
      })
    })
}
