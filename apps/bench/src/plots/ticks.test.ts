import { scaleLinear, scaleLog } from 'd3-scale'
import { expect, test } from 'vitest'
import { numberLabel, ticksOf } from './ticks.ts'

const log = (from: number, to: number) => scaleLog().domain([from, to]).range([0, 500])
const options = { axis: { label: 'trades/s', log: true }, values: [], apartMin: 40, ownValues: false }

test('few measured values are the ticks, many are not', () => {
  const few = { ...options, ownValues: true, scale: log(1, 8) }
  expect(ticksOf({ ...few, values: [4, 1, 2, 2] })).toEqual([1, 2, 4])
  const many = Array.from({ length: 100 }, (_, index) => index + 1)
  expect(ticksOf({ ...few, scale: log(1, 100), values: many })).not.toEqual(many)
})

test('the wider a logarithmic axis, the fewer ticks of a decade', () => {
  expect(ticksOf({ ...options, scale: log(1, 10) })).toEqual([1, 2, 3, 5, 7, 10])
  expect(ticksOf({ ...options, scale: log(0.001, 1) })).toEqual([
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
  ])
  expect(ticksOf({ ...options, scale: log(1, 1e6) })).toEqual([1, 10, 100, 1_000, 1e4, 1e5, 1e6])
})

test('a linear axis has round ticks that are far enough apart', () => {
  const linear = { ...options, axis: { label: 'ms' }, scale: scaleLinear().domain([0, 120]).range([200, 0]) }
  expect(ticksOf(linear)).toEqual([0, 50, 100])
  expect(ticksOf({ ...linear, apartMin: 30 })).toEqual([0, 20, 40, 60, 80, 100, 120])
})

test.each([
  [0, '0'],
  [0.12345, '0.123'],
  [999, '999'],
  [1_500, '1,500'],
  [20_000, '20k'],
  [3_600_000, '3.6M'],
] as const)('%d is shown as %s', (value, text) => {
  expect(numberLabel(value)).toBe(text)
})
