import { expect, test } from 'vitest'
import { shortDecimal } from './short-decimal.ts'

test.each([
  ['60123.10000000', '60123.10'],
  ['0.00001234', '0.00001234'],
  ['0.00001200', '0.000012'],
  ['100', '100'],
  ['-', '-'],
])('%s is shown as %s', (text, shown) => {
  expect(shortDecimal(text)).toBe(shown)
})
