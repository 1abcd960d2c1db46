import { barOfKline, type Kline } from '@chart/binance'
import type { BarText } from '@chart/market'
import { expect, test } from 'vitest'
import { auditRange, newTally } from './audit-range.ts'

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

function barOf(minute: number, over: Partial<BarText> = {}): BarText {
  const { proof, ...bar } = barOfKline('BTCUSDT', '1m', klineOf(minute))
  return { ...bar, firstTradeId: 1, lastTradeId: 7, complete: true, ...over }
}

test('every bar is counted as one thing, and what differs comes in order of time', () => {
  const tally = newTally()
  const bars = [
    barOf(1),
    barOf(2, { high: '4.5' }),
    barOf(4, { proof: 'verified' }),
    barOf(5, { proof: 'imported', complete: false }),
    barOf(6),
    barOf(7, { complete: false, tradeCount: 3, baseVolume: '5' }),
  ]
  const findings = auditRange(bars, [1, 2, 3, 4, 5, 7].map(klineOf), tally)
  expect(findings).toEqual([
    {
      kind: 'differs',
      openTime: 2 * MINUTE_MS,
      differences: [{ field: 'high', ours: '4.5', theirs: '4.00000000' }],
    },
    { kind: 'missing', openTime: 3 * MINUTE_MS },
    { kind: 'surplus', openTime: 6 * MINUTE_MS },
    {
      kind: 'differs',
      openTime: 7 * MINUTE_MS,
      differences: [
        { field: 'baseVolume', ours: '5', theirs: '10.00000000' },
        { field: 'tradeCount', ours: '3', theirs: '7' },
      ],
    },
  ])
  expect(tally).toEqual({ equal: 3, verified: 1, imported: 1, incomplete: 1, differs: 2, missing: 1, surplus: 1 })
})
