import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffDelayMs } from './backoff.ts'

const BACKOFF = { firstMs: 100, longestMs: 5_000 }

describe('a backoff', () => {
  it('doubles its bound with every failure, up to the cap', () => {
    const bounds = [1, 2, 3, 6, 7, 8, 1_000_000].map(failures => backoffDelayMs(BACKOFF, failures, () => 1))
    expect(bounds).toEqual([100, 200, 400, 3_200, 5_000, 5_000, 5_000])
  })

  it('is spread over everything from zero to the bound', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const delay = backoffDelayMs(BACKOFF, failures, () => random)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(BACKOFF.longestMs)
        expect(delay).toBe(random * backoffDelayMs(BACKOFF, failures, () => 1))
      }),
    )
  })
})
