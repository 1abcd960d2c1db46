import { type Bar, barText, type Interval, intervals, openTimeOf } from './bar.ts'
import type { Tape } from './tape.ts'
import { seriesOf, sumTrades } from './trade-sums.ts'

/** Bars told in one answer; more is refused. */
export const oracleBarsMax = 100_000
/** Bars told when the question has no beginning. */
const defaultBars = 500

export interface OracleBar extends ReturnType<typeof barText> {
  readonly symbol: string
  readonly interval: Interval
  readonly openTime: number
  readonly closeTime: number
  readonly tradeCount: number
  /** −1 in a bar without trades. */
  readonly firstTradeId: number
  readonly lastTradeId: number
  /** Still taking trades at the exchange's clock. */
  readonly live: boolean
}

/**
 * The right bars, from the trades and nothing else: every trade sent so far, in id order, bucketed by its trade time, no
 * cache, no merging of smaller bars. `from` and `to` (exclusive) are moments in ms, by openTime; default the last 500 bars.
 */
export async function oracleBars(
  tape: Tape,
  marketStartTime: number,
  question: { readonly interval: Interval; readonly from?: number; readonly to?: number },
): Promise<OracleBar[]> {
  const { interval } = question
  const intervalMs = intervals[interval]
  const now = tape.time
  const to = Math.min(openTimeOf((question.to ?? now) - 1, intervalMs), openTimeOf(now, intervalMs)) + intervalMs
  const asked = Math.max(question.from ?? to - defaultBars * intervalMs, marketStartTime)
  const from = openTimeOf(asked, intervalMs)
  if ((to - from) / intervalMs > oracleBarsMax) throw new RangeError(`more than ${oracleBarsMax} bars asked for`)
  const sums = await sumTrades(tape, intervalMs, from, to)
  return seriesOf(tape, intervalMs, from, to, sums).map(bar => oracleBar(tape.symbol, interval, bar, now))
}

function oracleBar(symbol: string, interval: Interval, bar: Bar, now: number): OracleBar {
  const nextOpenTime = bar.openTime + intervals[interval]
  return {
    symbol,
    interval,
    openTime: bar.openTime,
    closeTime: nextOpenTime - 1,
    ...barText(bar),
    tradeCount: bar.tradeCount,
    firstTradeId: bar.firstTradeId,
    lastTradeId: bar.lastTradeId,
    live: nextOpenTime > now,
  }
}
