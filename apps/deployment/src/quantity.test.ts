import { expect, test } from 'vitest'
import { quantityOf } from './quantity.ts'

test.each([
  ['250m', 0.25],
  ['2', 2],
  [1, 1],
  ['1.5', 1.5],
  ['1Gi', 2 ** 30],
  ['512Mi', 2 ** 29],
  ['1G', 1e9],
  ['1Gb', undefined],
  [undefined, undefined],
])('%s', (text, value) => {
  expect(quantityOf(text)).toBe(value)
})
