import { expect, test } from 'vitest'
import { createTradeRate } from './trade-rate.ts'

test('the rate is that of the last five seconds', () => {
  const rate = createTradeRate()
  expect(rate(100, 0)).toBeUndefined()
  expect(rate(120, 1_000)).toBe(20)
  for (let now = 1_500; now <= 20_000; now += 500) rate(120, now)
  expect(rate(120, 20_500)).toBe(0)
  expect(rate(170, 21_000)).toBe(10)
})

test('ids that go back begin anew', () => {
  const rate = createTradeRate()
  rate(1_000, 0)
  rate(1_000, 5_000)
  expect(rate(5, 6_000)).toBeUndefined()
  expect(rate(15, 8_000)).toBe(5)
})
