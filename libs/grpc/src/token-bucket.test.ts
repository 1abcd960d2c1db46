import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('gives its burst at once, then what time brings', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0)
  expect([1, 2, 3, 4].map(() => bucket.take(0))).toEqual([true, true, true, false])
  expect(bucket.take(99)).toBe(false)
  expect(bucket.take(100)).toBe(true)
  expect(bucket.take(100)).toBe(false)
  expect(bucket.isFull(399)).toBe(false)
  expect(bucket.isFull(400)).toBe(true)
})

test('takes the whole cost or nothing', () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 10 }, 0)
  expect(bucket.take(0, 11)).toBe(false)
  expect(bucket.take(0, 10)).toBe(true)
})

test('what is charged beyond the tokens is owed, up to a burst', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0)
  expect(bucket.charge(0, 4)).toBe(true)
  expect(bucket.charge(0, 4)).toBe(false)
  expect(bucket.take(300)).toBe(false)
  expect(bucket.take(400)).toBe(true)
  for (let count = 0; count < 1_000; count++) expect(bucket.charge(400)).toBe(false)
  expect(bucket.take(999)).toBe(false)
  expect(bucket.take(1_000)).toBe(true)
})

test('never gives more than burst and rate allow, however it is asked, also by a clock that goes back', () => {
  const step = fc.record({ ms: fc.integer({ min: -50, max: 500 }), cost: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const bucket = new TokenBucket({ perSecond: 20, burst: 7 }, 0)
      let now = 0
      let latest = 0
      let taken = 0
      for (const { ms, cost } of steps) {
        now += ms
        latest = Math.max(latest, now)
        if (bucket.take(now, cost)) taken += cost
        expect(taken).toBeLessThanOrEqual(7 + (latest * 20) / 1_000 + 1e-6)
      }
    }),
  )
})
