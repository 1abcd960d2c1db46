import { type BarText, type Interval, intervalOf } from '@chart/market'
import type { Postgres } from '@chart/postgres'
import { closedOracleBars, type OracleBar, provable, storedBars } from '../oracle.ts'
import type { Observer } from './observer.ts'

export interface VerifyOptions {
  readonly postgres: Postgres
  readonly exchangeUrl: string
  readonly symbols: readonly string[]
  readonly intervals: readonly string[]
  readonly observers: readonly Observer[]
  /** The service's first start: a bar that began earlier may say that it is not complete. */
  readonly startTime: number
  /** Bars that have ended by then are compared. */
  readonly untilTime: number
}

export interface Verdict {
  /** Comparisons of a stored bar, or of one that an observer knows, with the oracle. */
  compared: number
  /** Incomplete bars that had begun before the start, which is their right. */
  beganBefore: number
  readonly failures: string[]
}

/**
 * Compares what PostgreSQL has and what every observer knows with the oracle, series by series: each bar is there once, complete, and
 * equal to the last digit.
 */
export async function verify(options: VerifyOptions): Promise<Verdict> {
  const verdict: Verdict = { compared: 0, beganBefore: 0, failures: [] }
  for (const symbol of options.symbols) {
    for (const name of options.intervals) await verifySeries(symbol, intervalOf(name), options, verdict)
  }
  for (const [index, { bars }] of options.observers.entries()) {
    verdict.failures.push(...bars.violations.map(what => `observer ${index + 1}: ${what}`))
  }
  return verdict
}

async function verifySeries(
  symbol: string,
  interval: Interval,
  options: VerifyOptions,
  verdict: Verdict,
): Promise<void> {
  const { postgres, exchangeUrl, observers, untilTime } = options
  const { name, intervalMs } = interval
  const hasEnded = ({ openTime }: { openTime: number }) => openTime + intervalMs <= untilTime
  const stored = (await storedBars(postgres, symbol, name)).filter(hasEnded)
  const fromTime = Math.min(
    stored[0]?.openTime ?? Infinity,
    ...observers.map(observer => observer.fromTimeOf(interval)),
  )
  if (fromTime + intervalMs > untilTime) return
  const range = { from: fromTime, to: untilTime }
  const right = new Map(
    (await closedOracleBars(exchangeUrl, symbol, name, range)).filter(hasEnded).map(bar => [bar.openTime, bar]),
  )
  const check = (who: string, bars: readonly BarText[], checkedFrom: number) =>
    compare(`${who}: ${symbol} ${name}`, bars, right, checkedFrom, options.startTime, verdict)
  check('PostgreSQL', stored, fromTime)
  for (const [index, observer] of observers.entries()) {
    const known = [...observer.bars.barsOf(symbol, name).values()].filter(hasEnded)
    check(`observer ${index + 1}`, known, observer.fromTimeOf(interval))
  }
}

function compare(
  who: string,
  bars: readonly BarText[],
  right: ReadonlyMap<number, OracleBar>,
  fromTime: number,
  startTime: number,
  verdict: Verdict,
): void {
  const fail = (openTime: number, what: string) =>
    verdict.failures.push(`${who} ${new Date(openTime).toISOString()} ${what}`)
  const seen = new Set<number>()
  for (const bar of bars) {
    const oracle = right.get(bar.openTime)
    seen.add(bar.openTime)
    verdict.compared++
    if (oracle === undefined) fail(bar.openTime, 'is surplus')
    else if (!bar.complete && bar.openTime < startTime) verdict.beganBefore++
    else if (!bar.complete) fail(bar.openTime, 'is not complete')
    else if (textOf(bar) !== textOf(oracle)) fail(bar.openTime, `is ${textOf(bar)} instead of ${textOf(oracle)}`)
  }
  for (const openTime of right.keys()) if (openTime >= fromTime && !seen.has(openTime)) fail(openTime, 'is missing')
}

function textOf(bar: BarText | OracleBar): string {
  return JSON.stringify(provable(bar))
}
