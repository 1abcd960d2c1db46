import { intervalsOf, KNOWN_INTERVALS } from '@chart/market'
import { expect, test } from 'vitest'
import { intervalOfResolution, priceStepOf, resolutionOf, udfBarsText } from './udf-format.ts'

test('every interval has a resolution of its own', () => {
  const resolutions = KNOWN_INTERVALS.map(resolutionOf)
  expect(resolutions).toEqual(['1S', '1', '3', '5', '15', '30', '60', '120', '240', '360', '480', '720', '1D'])
  expect(resolutions.map(intervalOfResolution)).toEqual(KNOWN_INTERVALS)
  expect(['S', 'D'].map(intervalOfResolution)).toEqual([intervalOfResolution('1S'), intervalOfResolution('1D')])
  expect(['', '0', '7', '1W', '1M', '-1', 'x'].map(intervalOfResolution)).toEqual(Array(7).fill(undefined))
  expect(intervalsOf(['1m']).map(resolutionOf)).toEqual(['1'])
})

test.each([
  ['0.01000000', { minmov: 1, pricescale: 100 }],
  ['0.00000001', { minmov: 1, pricescale: 100_000_000 }],
  ['0.05000000', { minmov: 5, pricescale: 100 }],
  ['0.50000000', { minmov: 5, pricescale: 10 }],
  ['1.00000000', { minmov: 1, pricescale: 1 }],
  ['2.50000000', { minmov: 25, pricescale: 10 }],
  ['10.00000000', { minmov: 10, pricescale: 1 }],
  ['', { minmov: 1, pricescale: 100_000_000 }],
])('a tick of "%s" is %j', (tickSize, step) => {
  expect(priceStepOf(tickSize)).toEqual(step)
})

test('no bars say where the next older one is, if there is one', () => {
  expect(udfBarsText([], 1_723_161_240_000)).toBe('{"s":"no_data","nextTime":1723161240}')
  expect(udfBarsText([], undefined)).toBe('{"s":"no_data"}')
})
