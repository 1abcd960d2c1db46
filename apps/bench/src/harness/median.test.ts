import { expect, it } from 'vitest'
import { medianOf } from './median.ts'

it('is the middle value, whatever the order, as numbers and not as text', () => {
  expect(medianOf([100, 9, 20])).toBe(20)
})

it('is the lower one of two in the middle, which was seen', () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2)
})

it('of nothing is not a number', () => {
  expect(medianOf([])).toBeNaN()
})

it('leaves the values in their order', () => {
  const values = [3, 1, 2]
  medianOf(values)
  expect(values).toEqual([3, 1, 2])
})
