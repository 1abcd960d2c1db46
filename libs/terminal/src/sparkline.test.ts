import { expect, test } from 'vitest'
import { sparkline } from './sparkline.ts'

test('the lowest value is at the bottom, the highest at the top, the others in between', () => {
  expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([100, 0, 50])).toBe('█▁▅')
})

test('values that do not change stand in the middle; no values are no line', () => {
  expect(sparkline([7, 7, 7])).toBe('▄▄▄')
  expect(sparkline([7])).toBe('▄')
  expect(sparkline([])).toBe('')
})

test('prices of eight decimals are told apart', () => {
  expect(sparkline([0.00001234, 0.00001235])).toBe('▁█')
})
