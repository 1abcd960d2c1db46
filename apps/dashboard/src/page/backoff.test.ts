import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

it('waits longer from try to try, up to ten seconds, and never the same for all pages', () => {
  expect([0, 1, 2, 3, 4, 50].map(tries => backoffMs(tries, 1))).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  expect(backoffMs(50, 0)).toBe(5_000)
})
