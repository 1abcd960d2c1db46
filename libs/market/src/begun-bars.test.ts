import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BarText, textOfBar } from './bar.ts'
import { applyTrade, applyWatermark } from './bar-series.ts'
import { closedTextOf, liveTextOf, symbolBarsOfText } from './bar-state.ts'
import { symbolBarsOfMinutes } from './begun-bars.ts'
import { EXCHANGE_SCALES } from './decimal.ts'
import { intervalsOf } from './interval.ts'
import { newChanges, newSymbolBars } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

/** Midnight. */
const START_TIME = 1_723_161_600_000
const MINUTE_MS = 60_000
const INTERVALS = intervalsOf(['1s', '1m', '5m', '1h', '1d'])

const tradeOf = (tradeId: number, tradeTime: number): Trade => ({
  tradeId,
  tradeTime,
  price: 6_000_000_000n + BigInt((tradeId * 7_919) % 997),
  quantity: BigInt(1 + (tradeId % 5)) * 1_000n,
  takerSide: tradeId % 3 === 0 ? 'sell' : 'buy',
})

/** Minutes of a day with some trades each, and what the bars of all intervals become of them. */
const days = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 150 }).map(counts => {
  let id = 40
  const trades = counts.flatMap((count, minute) =>
    Array.from({ length: count }, (_, index) => tradeOf(++id, START_TIME + minute * MINUTE_MS + index * 9_000)),
  )
  return { minutes: counts.length, trades: [tradeOf(40, START_TIME), ...trades] }
})

test('going on from stored minutes gives every later bar as if nothing had been lost', () => {
  fc.assert(
    fc.property(days, fc.nat(), ({ minutes, trades }, cut) => {
      const cutTime = START_TIME + (1 + (cut % (minutes - 1))) * MINUTE_MS
      const whole = newSymbolBars('AAA', INTERVALS, EXCHANGE_SCALES, 39, START_TIME)
      const before = newChanges()
      for (const trade of trades) if (trade.tradeTime < cutTime) applyTrade(whole, trade, before)
      applyWatermark(whole, cutTime, before)
      const stored = before.closed
        .filter(({ interval }) => interval === '1m')
        .map(bar => textOfBar(bar, EXCHANGE_SCALES))
      const begun = symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, stored)!
      const restored = symbolBarsOfText('AAA', INTERVALS, { live: liveTextOf(begun), closed: closedTextOf(begun) })
      const expected = newChanges()
      const given = newChanges()
      for (const trade of trades.filter(({ tradeTime }) => tradeTime >= cutTime)) {
        applyTrade(whole, trade, expected)
        applyTrade(restored, trade, given)
      }
      applyWatermark(whole, START_TIME + 25 * 3_600_000, expected)
      applyWatermark(restored, START_TIME + 25 * 3_600_000, given)
      expect(given.closed.map(bar => textOfBar(bar, EXCHANGE_SCALES))).toEqual(
        expected.closed.map(bar => textOfBar(bar, EXCHANGE_SCALES)),
      )
      expect(given.closed.every(({ complete }) => complete)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

function minuteOf(index: number, firstTradeId: number, lastTradeId: number): BarText {
  const openTime = START_TIME + index * MINUTE_MS
  return {
    symbol: 'AAA',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE_MS - 1,
    open: '1.00000000',
    high: '1.00000000',
    low: '1.00000000',
    close: '1.00000000',
    baseVolume: '1.00000000',
    quoteVolume: '1.00000000',
    takerBuyBaseVolume: '0.00000000',
    takerBuyQuoteVolume: '0.00000000',
    tradeCount: 1 + lastTradeId - firstTradeId,
    firstTradeId,
    lastTradeId,
    state: 'closed',
    revision: 0,
    complete: true,
  }
}

test('a jump of ids among the newest minutes means lost bars: what comes after it is made again', () => {
  const bars = symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [minuteOf(0, 1, 2), minuteOf(1, 3, 4), minuteOf(3, 9, 9)])
  expect([bars?.lastTradeId, bars?.reachedTime]).toEqual([4, START_TIME + 2 * MINUTE_MS])
})

test('before an old jump of ids, and before an imported minute, nothing is known', () => {
  const many = Array.from({ length: 20 }, (_, index) => minuteOf(index + 2, 50 + index, 50 + index))
  const old = symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [minuteOf(0, 1, 2), ...many])
  expect([old?.sinceTime, old?.lastTradeId]).toEqual([START_TIME + 2 * MINUTE_MS, 69])
  const imported = { ...minuteOf(1, -1, -1), tradeCount: 7 }
  const after = symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [minuteOf(0, 1, 2), imported, ...many])
  expect(after?.sinceTime).toBe(START_TIME + 2 * MINUTE_MS)
})

test('an imported minute among the newest ends nothing: what was made of trades after it goes on', () => {
  const imported = { ...minuteOf(0, -1, -1), tradeCount: 7 }
  const bars = symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [imported, minuteOf(1, 3, 4), minuteOf(2, 5, 6)])
  expect([bars?.sinceTime, bars?.lastTradeId]).toEqual([START_TIME + MINUTE_MS, 6])
})

test('minutes without any trade do not tell which trade comes next', () => {
  expect(symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [])).toBeUndefined()
  expect(symbolBarsOfMinutes('AAA', EXCHANGE_SCALES, [{ ...minuteOf(0, -1, -1), tradeCount: 0 }])).toBeUndefined()
})
