import { type BarText, intervalOf } from '@chart/market'
import { expect, test } from 'vitest'
import { ToldBars } from './told-bars.ts'

const SECOND = intervalOf('1s')

function bar(openTime: number, change: Partial<BarText> = {}): BarText {
  return {
    symbol: 'BTCUSDT',
    interval: '1s',
    openTime,
    closeTime: openTime + 999,
    open: '1',
    high: '1',
    low: '1',
    close: '1',
    baseVolume: '1',
    quoteVolume: '1',
    takerBuyBaseVolume: '1',
    takerBuyQuoteVolume: '1',
    tradeCount: 1,
    firstTradeId: 1,
    lastTradeId: 1,
    state: 'closed',
    revision: 0,
    complete: true,
    ...change,
  }
}

test('a bar may be told once in each call, and again with a higher revision', () => {
  const bars = new ToldBars()
  const call = bars.beginCall()
  bars.tell(call, bar(0))
  bars.tell(call, bar(0, { revision: 1, close: '2' }))
  bars.tell(bars.beginCall(), bar(0, { revision: 1, close: '2' }))
  expect(bars.violations).toEqual([])
  expect(bars.barsOf('BTCUSDT', '1s').get(0)?.close).toBe('2')
})

test('the same revision twice in a call, a lower one later, and two versions of one revision are violations', () => {
  const twice = new ToldBars()
  const call = twice.beginCall()
  twice.tell(call, bar(0))
  twice.tell(call, bar(0))
  expect(twice.violations).toEqual([expect.stringContaining('within one call')])

  const lower = new ToldBars()
  lower.tell(lower.beginCall(), bar(0, { revision: 1 }))
  lower.tell(lower.beginCall(), bar(0))
  expect(lower.violations).toEqual([expect.stringContaining('in an earlier call')])

  const different = new ToldBars()
  different.tell(different.beginCall(), bar(0))
  different.tell(different.beginCall(), bar(0, { takerBuyQuoteVolume: '2' }))
  expect(different.violations).toEqual([expect.stringContaining('is told as')])
})

test('holes are the bars that were neither told nor fetched, also before the first one told', () => {
  const bars = new ToldBars()
  bars.tell(bars.beginCall(), bar(2_000))
  bars.tell(bars.beginCall(), bar(5_000))
  bars.fetch(bar(4_000))
  expect(bars.holesOf('BTCUSDT', SECOND, 1_000, 7_000)).toEqual([1_000, 3_000, 6_000])
})

test('an older version in history does not replace what was told', () => {
  const bars = new ToldBars()
  bars.tell(bars.beginCall(), bar(0, { revision: 1, close: '2' }))
  bars.fetch(bar(0))
  expect(bars.barsOf('BTCUSDT', '1s').get(0)?.close).toBe('2')
  expect(bars.violations).toEqual([])
})
