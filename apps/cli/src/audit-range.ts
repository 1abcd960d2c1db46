import { differencesOf, type FieldDifference, type Kline } from '@chart/binance'
import type { BarText } from '@chart/market'

/** A bar that is not as the exchange has it. */
export type Finding =
  | { readonly kind: 'differs'; readonly openTime: number; readonly differences: readonly FieldDifference[] }
  /** The exchange has a bar, the service has none. */
  | { readonly kind: 'missing'; readonly openTime: number }
  /** The service has a bar, the exchange has none. */
  | { readonly kind: 'surplus'; readonly openTime: number }

/** How many bars were found to be what. */
export interface Tally {
  equal: number
  verified: number
  imported: number
  incomplete: number
  differs: number
  missing: number
  surplus: number
}

export function newTally(): Tally {
  return { equal: 0, verified: 0, imported: 0, incomplete: 0, differs: 0, missing: 0, surplus: 0 }
}

/** Compares the bars of one range with the exchange's and counts them in `tally`. What differs comes in order of time. */
export function auditRange(bars: readonly BarText[], klines: readonly Kline[], tally: Tally): Finding[] {
  const klineAt = new Map(klines.map(kline => [kline.openTime, kline]))
  const findings: Finding[] = []
  for (const bar of bars) {
    const { openTime } = bar
    const kline = klineAt.get(openTime)
    klineAt.delete(openTime)
    if (!bar.complete && bar.proof !== 'imported') tally.incomplete++
    if (kline === undefined) {
      findings.push({ kind: 'surplus', openTime })
      continue
    }
    const differences = differencesOf(bar, kline)
    if (differences.length > 0) findings.push({ kind: 'differs', openTime, differences })
    else {
      tally.equal++
      if (bar.proof !== undefined) tally[bar.proof]++
    }
  }
  for (const openTime of klineAt.keys()) findings.push({ kind: 'missing', openTime })
  for (const { kind } of findings) tally[kind]++
  return findings.sort((a, b) => a.openTime - b.openTime)
}
