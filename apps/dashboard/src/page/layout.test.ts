import { describe, expect, it } from 'vitest'
import { columnsOf, nextChart, withCount } from './layout.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const CHOICE = { symbols: SYMBOLS, intervals: ['1s', '1m', '1h'], interval: '1m' }
const chart = (symbol: string, interval = '1m') => ({ symbol, interval })

describe('columns', () => {
  it.each([
    [1, 1440, 800, 1],
    [2, 1440, 800, 2],
    [4, 1440, 800, 2],
    [6, 1440, 800, 3],
    [9, 1440, 800, 3],
    [16, 1440, 800, 4],
    [2, 800, 1200, 1],
    [4, 360, 700, 1],
  ])('%s charts in %s × %s have %s', (count, width, height, columns) => {
    expect(columnsOf(count, width, height)).toBe(columns)
  })
})

describe('another number of charts', () => {
  const charts = SYMBOLS.map(symbol => chart(symbol))

  it('keeps the chart in use', () => {
    expect(withCount(charts, 2, 1, CHOICE)).toEqual({ kept: [2], added: [], active: 0 })
    expect(withCount(charts, 2, 2, CHOICE)).toEqual({ kept: [0, 2], added: [], active: 1 })
    expect(withCount(charts, 0, 2, CHOICE)).toEqual({ kept: [0, 1], added: [], active: 0 })
  })

  it('adds symbols that are not shown yet, then other intervals', () => {
    expect(withCount([chart('ETHUSDT')], 0, 5, CHOICE)).toEqual({
      kept: [0],
      added: [chart('BTCUSDT'), chart('PEPEUSDT'), chart('BTCUSDT', '1h'), chart('ETHUSDT', '1h')],
      active: 0,
    })
  })

  it('can be more than there is to show', () => {
    expect(withCount(charts, 0, 16, CHOICE).added).toHaveLength(13)
  })
})

it('a chart can be added to a page that has none', () => {
  expect(nextChart([], CHOICE)).toEqual(chart('BTCUSDT'))
})
