import type { Postgres } from '@chart/postgres'
import { closedOracleBars, provable, storedBars } from './oracle.ts'

/** What a comparison of stored bars with the oracle found. */
export interface Comparison {
  /** Bars compared. */
  compared: number
  /** Bars of the oracle that are not stored, and stored ones that the oracle does not have. */
  missing: string[]
  surplus: string[]
  /** Complete bars of which any number differs. */
  differing: string[]
  /** Bars that say themselves that they are not complete: those that had begun before the service did. */
  incomplete: string[]
}

/**
 * Compares every stored bar of `symbols` × `intervals` with the simulator's oracle, from the first stored bar to the last
 * one of the oracle that opens before `untilTime`.
 */
export async function compareWithOracle(
  postgres: Postgres,
  apiUrl: string,
  symbols: readonly string[],
  intervals: readonly string[],
  untilTime: number,
): Promise<Comparison> {
  const result: Comparison = { compared: 0, missing: [], surplus: [], differing: [], incomplete: [] }
  for (const symbol of symbols) {
    for (const interval of intervals) {
      const stored = (await storedBars(postgres, symbol, interval)).filter(bar => bar.openTime < untilTime)
      const first = stored[0]?.openTime ?? Number.POSITIVE_INFINITY
      const oracle = new Map(
        (await closedOracleBars(apiUrl, symbol, interval))
          .filter(bar => bar.openTime >= first && bar.openTime < untilTime)
          .map(bar => [bar.openTime, bar]),
      )
      const name = (openTime: number) => `${symbol} ${interval} ${new Date(openTime).toISOString()}`
      for (const bar of stored) {
        const right = oracle.get(bar.openTime)
        oracle.delete(bar.openTime)
        if (right === undefined) result.surplus.push(name(bar.openTime))
        else if (!bar.complete) result.incomplete.push(name(bar.openTime))
        else {
          result.compared++
          if (JSON.stringify(provable(bar)) !== JSON.stringify(provable(right)))
            result.differing.push(name(bar.openTime))
        }
      }
      result.missing.push(...[...oracle.keys()].map(name))
    }
  }
  return result
}
