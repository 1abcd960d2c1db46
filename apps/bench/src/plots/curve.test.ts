import { expect, test } from 'vitest'
import { CURVE } from './curve.testing.ts'
import { curveOf } from './curve.ts'

const parsed = (changes: object) => curveOf(JSON.stringify({ ...CURVE, ...changes }), 'cost.json')

test('a curve is read as it was written', () => {
  expect(parsed({})).toEqual(CURVE)
})

test('a file without series is no curve', () => {
  expect(curveOf('{"stages": []}', 'report.json')).toBeUndefined()
})

test.each([
  [{ title: undefined }, 'cost.json needs title'],
  [{ how: undefined }, 'cost.json needs title, x.label, y.label, machine and how'],
  [{ series: [] }, 'cost.json has no series'],
  [{ series: [{ name: 'edge', points: [] }] }, 'cost.json: series "edge" has no points'],
  [{ series: [{ name: 'edge', points: [[1, null]] }] }, 'has null for "µs CPU a trade", which must be a number'],
  [{ series: [{ name: 'edge', points: [[0, 1]] }] }, 'has 0 for "trades/s", which must be a number above zero'],
])('a file with %j is refused: %s', (changes, message) => {
  expect(() => parsed(changes)).toThrow(message)
})
