import { expect, test } from 'vitest'
import { type BarText, textOfBar } from './bar.ts'
import { applyTrade, applyWatermark } from './bar-series.ts'
import { EXCHANGE_SCALES } from './decimal.ts'
import { intervalsOf } from './interval.ts'
import { applyRestatement } from './restated-bar.ts'
import { newChanges, newSymbolBars, type SymbolBars } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

const START_TIME = 1_723_161_600_000
const MINUTE_MS = 60_000

const tradeOf = (tradeId: number, tradeTime: number): Trade => ({
  tradeId,
  tradeTime,
  price: 100_000_000n * BigInt(tradeId),
  quantity: 1_000n,
  takerSide: 'buy',
})

/** Bars of five minutes with a trade each, all but the last closed; three of 1m are kept. */
function fiveMinutes(): { bars: SymbolBars; closed: BarText[] } {
  const bars = newSymbolBars('AAA', intervalsOf(['1m', '5m']), EXCHANGE_SCALES, 0, START_TIME)
  const changes = newChanges()
  for (let minute = 0; minute < 5; minute++)
    applyTrade(bars, tradeOf(minute + 1, START_TIME + minute * MINUTE_MS), changes)
  return { bars, closed: changes.closed.map(bar => textOfBar(bar, EXCHANGE_SCALES)) }
}

test('a bar that is kept is restated with the next revision, and once only', () => {
  const { bars, closed } = fiveMinutes()
  const right = { ...closed[3]!, high: '999.00000000', tradeCount: 7 }
  const changes = newChanges()
  expect(applyRestatement(bars, right, changes)).toBe(true)
  expect(changes.closed.map(bar => textOfBar(bar, EXCHANGE_SCALES))).toEqual([{ ...right, revision: 1 }])
  expect(applyRestatement(bars, right, changes)).toBe(true)
  expect(applyRestatement(bars, { ...right, revision: 5 }, changes)).toBe(true)
  expect(changes.closed).toHaveLength(1)
})

test('a restated bar takes late trades like any other', () => {
  const { bars, closed } = fiveMinutes()
  const changes = newChanges()
  applyRestatement(bars, { ...closed[3]!, baseVolume: '5.00000000', revision: 2 }, changes)
  applyTrade(bars, tradeOf(6, START_TIME + 3 * MINUTE_MS + 1), changes)
  const last = changes.closed.filter(({ interval }) => interval === '1m').at(-1)!
  expect([last.revision, last.baseVolume, last.lastTradeId]).toEqual([4, 500_001_000n, 6])
})

test('a bar that is no longer kept is told with the revision above the one found wrong, each time the same', () => {
  const { bars, closed } = fiveMinutes()
  const changes = newChanges()
  for (let turn = 0; turn < 2; turn++) applyRestatement(bars, { ...closed[0]!, revision: 3, complete: true }, changes)
  expect(changes.closed.map(({ openTime, revision }) => [openTime, revision])).toEqual([
    [START_TIME, 4],
    [START_TIME, 4],
  ])
})

test('what is not closed here, not ours or not readable is passed over', () => {
  const { bars, closed } = fiveMinutes()
  const changes = newChanges()
  const bar = closed[0]!
  expect(applyRestatement(bars, { ...bar, openTime: START_TIME + 4 * MINUTE_MS }, changes)).toBe(false)
  expect(applyRestatement(bars, { ...bar, interval: '1h' }, changes)).toBe(false)
  expect(applyRestatement(bars, { ...bar, symbol: 'BBB' }, changes)).toBe(false)
  expect(applyRestatement(bars, { ...bar, open: '1.123456789' }, changes)).toBe(false)
  expect(changes.closed).toEqual([])
  applyWatermark(bars, START_TIME + 5 * MINUTE_MS, newChanges())
  expect(applyRestatement(bars, { ...bar, openTime: START_TIME + 4 * MINUTE_MS }, changes)).toBe(true)
})
