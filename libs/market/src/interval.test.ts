import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_INTERVALS, findInterval, intervalOf, intervalsOf, KNOWN_INTERVALS, openTimeOf } from './interval.ts'

test('a time lies in its bar: openTime is a multiple of the length, at or before the time, and less than a length away', () => {
  const times = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 })
  fc.assert(
    fc.property(times, fc.constantFrom(...KNOWN_INTERVALS), (time, interval) => {
      const openTime = openTimeOf(interval, time)
      expect(openTime % interval.intervalMs).toBe(0)
      expect(time - openTime).toBeGreaterThanOrEqual(0)
      expect(time - openTime).toBeLessThan(interval.intervalMs)
    }),
  )
})

test('days begin at midnight UTC', () => {
  expect(openTimeOf(intervalOf('1d'), Date.UTC(2024, 7, 9, 23, 59, 59, 999))).toBe(Date.UTC(2024, 7, 9))
})

test('the known intervals stand shortest first, and the default ones are among them', () => {
  expect(KNOWN_INTERVALS.toSorted((a, b) => a.intervalMs - b.intervalMs)).toEqual(KNOWN_INTERVALS)
  expect(intervalsOf(DEFAULT_INTERVALS).map(interval => interval.name)).toEqual(DEFAULT_INTERVALS)
})

test('a configured list is sorted and without repeats', () => {
  expect(intervalsOf(['1d', '1m', '5m', '1m']).map(interval => interval.name)).toEqual(['1m', '5m', '1d'])
})

test('an unknown interval is refused with the known ones, and a list without 1m, or an empty one, as well', () => {
  expect(() => intervalsOf(['1m', '7m'])).toThrow('unknown interval "7m"; known are 1s, 1m, 3m')
  expect(() => intervalsOf(['5m'])).toThrow('must contain 1m')
  expect(() => intervalsOf([])).toThrow(RangeError)
  for (const name of ['', '1M', '1w', '1mo', 'constructor', '__proto__']) expect(findInterval(name)).toBeUndefined()
})
