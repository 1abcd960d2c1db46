import { expect, test } from 'vitest'
import { ToldBars } from './told-bars.ts'

const bar = (openTime: number, revision: number, lastTradeId: number, tradeCount = 3) => ({
  openTime,
  revision,
  lastTradeId,
  tradeCount,
})

test('a bar is told once in each revision', () => {
  const told = new ToldBars()
  expect(told.add(bar(1_000, 0, 7))).toBe('closed')
  expect(told.add(bar(1_000, 0, 7))).toBe(undefined)
  expect(told.add(bar(1_000, 1, 9))).toBe('corrected')
  expect(told.add(bar(1_000, 0, 7))).toBe(undefined)
})

test('a bar that closes again with more trades, after Redis fell back, is told as a correction whatever its revision', () => {
  const told = new ToldBars()
  told.add(bar(1_000, 0, -1, 0))
  expect(told.add(bar(1_000, 0, 7, 1))).toBe('corrected')
  expect(told.add(bar(1_000, 0, 7, 1))).toBe(undefined)
  told.add(bar(2_000, 2, 9, 2))
  expect(told.add(bar(2_000, 0, 9, 2))).toBe(undefined)
  expect(told.add(bar(2_000, 1, 12, 4))).toBe('corrected')
})

test('an old bar is told again only when it was corrected', () => {
  const told = new ToldBars()
  for (let openTime = 0; openTime < 40_000; openTime += 1_000) told.add(bar(openTime, 0, openTime))
  expect(told.newest).toBe(39_000)
  expect(told.add(bar(1_000, 0, 1_000))).toBe(undefined)
  expect(told.add(bar(1_000, 1, 1_000))).toBe('corrected')
  expect(told.add(bar(1_000, 1, 1_000))).toBe(undefined)
})

test('a correction that was told before its bar was forgotten is not told again', () => {
  const told = new ToldBars()
  told.add(bar(1_000, 0, 7))
  told.add(bar(1_000, 1, 9))
  for (let openTime = 2_000; openTime < 40_000; openTime += 1_000) told.add(bar(openTime, 0, openTime))
  expect(told.add(bar(1_000, 1, 9))).toBe(undefined)
  expect(told.add(bar(1_000, 2, 11))).toBe('corrected')
})
