import { expect, test } from 'vitest'
import { FIRST_BARS_WEIGHT_MAX, FirstBars } from './first-bars.ts'

test('whole first bars are given as long as the weight of a minute lasts, and again in the next', () => {
  let now = 1_000
  const firstBars = new FirstBars(FIRST_BARS_WEIGHT_MAX, () => now)
  const quiet = () => firstBars.take(100)
  const fitting = Math.floor(FIRST_BARS_WEIGHT_MAX / 29)
  for (let symbol = 0; symbol < fitting; symbol++) expect(quiet()).toBe(true)
  expect(quiet()).toBe(false)
  now += 59_999
  expect(quiet()).toBe(false)
  now += 1
  expect(quiet()).toBe(true)
})

test('a symbol of many trades costs a page for each thousand of a minute', () => {
  const firstBars = new FirstBars(4 + 25 * 3 + 29)
  const tradesOfMinute = 2_500
  expect(firstBars.take(tradesOfMinute * 1_440)).toBe(true)
  expect(firstBars.take(0)).toBe(true)
  expect(firstBars.take(0)).toBe(false)
})

test('what busier symbols that begin with it would take is left for them, whoever asks first', () => {
  const counts = [900, 800, 800, 700, 5]
  const firstBars = new FirstBars(3 * 29)
  expect(firstBars.take(5, counts)).toBe(false)
  expect(firstBars.take(700, counts)).toBe(false)
  for (const count of [800, 900, 800]) expect(firstBars.take(count, counts)).toBe(true)
  expect(firstBars.take(5, [5])).toBe(false)
})
