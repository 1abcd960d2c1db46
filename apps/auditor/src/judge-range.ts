import { differencesOf, type FieldDifference, type Kline, type TradeIds } from '@chart/binance'
import type { BarText } from '@chart/market'

/** A stored bar that is not as the exchange has it. Without differences it has the same numbers and says that it may lack trades. */
export interface WrongBar {
  readonly row: BarText
  readonly kline: Kline
  readonly differences: readonly FieldDifference[]
}

/** What a range of a series is, compared with the exchange's. Each list is in order of time, the oldest first. */
export interface Judgement {
  readonly matched: readonly BarText[]
  readonly wrong: readonly WrongBar[]
  /** The exchange has a bar and we have none. */
  readonly missing: readonly Kline[]
  /** We have a bar and the exchange has none, as after a trading halt that was not known at once. */
  readonly surplus: readonly BarText[]
}

/**
 * Compares stored bars with the exchange's of the same range. Those that have a proof already are passed over.
 * @param idsOf first and last trade id of the exchange's bar, where they are known
 */
export function judgeRange(
  rows: readonly BarText[],
  klines: readonly Kline[],
  idsOf: (openTime: number) => TradeIds | undefined,
): Judgement {
  const byOpenTime = new Map(rows.map(row => [row.openTime, row]))
  const matched: BarText[] = []
  const wrong: WrongBar[] = []
  const missing: Kline[] = []
  for (const kline of klines) {
    const row = byOpenTime.get(kline.openTime)
    byOpenTime.delete(kline.openTime)
    if (row === undefined) missing.push(kline)
    else if (row.proof === undefined) {
      const differences = differencesOf(row, kline, idsOf(kline.openTime))
      if (differences.length === 0 && row.complete) matched.push(row)
      else wrong.push({ row, kline, differences })
    }
  }
  const surplus = [...byOpenTime.values()].filter(row => row.proof === undefined)
  return { matched, wrong, missing, surplus }
}
