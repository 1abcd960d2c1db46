import { barOfKline, type Kline } from '@chart/binance'
import type { BarText } from '@chart/market'
import { describe, expect, test } from 'vitest'
import { judgeRange } from './judge-range.ts'
import { rangesOf } from './series-audit.ts'

const MINUTE_MS = 60_000

const klineOf = (minute: number): Kline => ({
  openTime: minute * MINUTE_MS,
  closeTime: (minute + 1) * MINUTE_MS - 1,
  open: '2.00000000',
  high: '4.00000000',
  low: '1.00000000',
  close: '3.00000000',
  baseVolume: '10.00000000',
  quoteVolume: '25.00000000',
  tradeCount: 7,
  takerBuyBaseVolume: '4.00000000',
  takerBuyQuoteVolume: '9.00000000',
})

function rowOf(minute: number, over: Partial<BarText> = {}): BarText {
  const { proof, ...bar } = barOfKline('BTCUSDT', '1m', klineOf(minute))
  return { ...bar, firstTradeId: 1, lastTradeId: 7, complete: true, ...over }
}

const minutesOf = (bars: readonly { openTime: number }[]) => bars.map(({ openTime }) => openTime / MINUTE_MS)
const NO_IDS = () => undefined

describe('a range', () => {
  test('is matched, wrong, missing and surplus bars', () => {
    const rows = [rowOf(1), rowOf(2, { low: '0.5' }), rowOf(3, { complete: false }), rowOf(5), rowOf(6)]
    const judged = judgeRange(rows, [1, 2, 3, 4, 6].map(klineOf), NO_IDS)
    expect(minutesOf(judged.matched)).toEqual([1, 6])
    expect(
      judged.wrong.map(({ row, differences }) => [row.openTime / MINUTE_MS, differences.map(d => d.field)]),
    ).toEqual([
      [2, ['low']],
      [3, []],
    ])
    expect(minutesOf(judged.missing)).toEqual([4])
    expect(minutesOf(judged.surplus)).toEqual([5])
  })

  test('has nothing to say of bars with a proof, whatever the exchange has', () => {
    const rows = [rowOf(1, { proof: 'verified', high: '9' }), rowOf(2, { proof: 'imported', complete: false })]
    expect(judgeRange(rows, [klineOf(1)], NO_IDS)).toEqual({ matched: [], wrong: [], missing: [], surplus: [] })
  })

  test('is compared by ids where the stream has told them', () => {
    const ids = { firstTradeId: 1, lastTradeId: 8 }
    const judged = judgeRange([rowOf(1), rowOf(2)], [1, 2].map(klineOf), openTime =>
      openTime === MINUTE_MS ? ids : undefined,
    )
    expect(minutesOf(judged.matched)).toEqual([2])
    expect(judged.wrong[0]!.differences).toEqual([{ field: 'lastTradeId', ours: '7', theirs: '8' }])
  })
})

describe('open times', () => {
  test('are asked for in as few ranges as a thousand bars allow, the newest first', () => {
    const minutes = [0, 1, 5_000, 4_001, 4_000, 3_999]
    expect(
      rangesOf(
        minutes.map(minute => minute * MINUTE_MS),
        MINUTE_MS,
      ),
    ).toEqual(
      [
        [4_001, 5_001],
        [3_999, 4_001],
        [0, 2],
      ].map(([from, to]) => ({ from: from! * MINUTE_MS, to: to! * MINUTE_MS })),
    )
    expect(rangesOf([], MINUTE_MS)).toEqual([])
  })
})
