import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bigintOf, isSafe, numberOf } from './safe-integer.ts'

const WORDS = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER]

test('every safe integer is the same as number and as BigInt', () => {
  const integers = fc.oneof(fc.maxSafeNat(), fc.constantFrom(...WORDS))
  fc.assert(
    fc.property(integers, value => {
      expect(bigintOf(value)).toBe(BigInt(value))
      expect(numberOf(BigInt(value))).toBe(value)
      expect(isSafe(BigInt(value))).toBe(true)
    }),
    { numRuns: 2_000 },
  )
  for (const value of WORDS) expect(numberOf(bigintOf(value))).toBe(value)
})

test('negative ones and those above 2^53 − 1 are not safe', () => {
  for (const value of [-1n, 2n ** 53n, 2n ** 64n, 2n ** 64n + 1n, -(2n ** 64n)]) expect(isSafe(value)).toBe(false)
})
