import { describe, expect, it } from 'vitest'
import { columnsOf, nextChart, withCount } from './layout.ts'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const chart = (symbol: string) => ({ symbol, interval: '1m' })

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
  const list = { charts: SYMBOLS.map(chart), active: 2 }

  it('keeps the chart in use', () => {
    expect(withCount(list, 1, SYMBOLS, '1m')).toEqual({ charts: [chart('PEPEUSDT')], active: 0 })
    expect(withCount({ ...list, active: 0 }, 2, SYMBOLS, '1m')).toEqual({
      charts: [chart('BTCUSDT'), chart('ETHUSDT')],
      active: 0,
    })
  })

  it('adds what is not shown yet, then goes round', () => {
    const { charts } = withCount({ charts: [chart('ETHUSDT')], active: 0 }, 5, SYMBOLS, '5m')
    expect(charts.map(one => one.symbol)).toEqual(['ETHUSDT', 'BTCUSDT', 'PEPEUSDT', 'BTCUSDT', 'ETHUSDT'])
  })
})

it('a chart can be added to a page that has none', () => {
  expect(nextChart([], SYMBOLS, '1m')).toEqual(chart('BTCUSDT'))
})
