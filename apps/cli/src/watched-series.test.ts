import { stripVTControlCharacters } from 'node:util'
import type { ChartEvent } from '@chart/client'
import { COLORED, PLAIN } from '@chart/terminal'
import { expect, test } from 'vitest'
import { lineOf, WatchedSeries } from './watched-series.ts'

const MINUTE_MS = 60_000

function bar(close: string, more: { symbol?: string; minute?: number; event?: 'update' | 'corrected' } = {}) {
  const { symbol = 'BTCUSDT', minute = 1, event = 'update' } = more
  const openTime = minute * MINUTE_MS
  return {
    event,
    merged: 0,
    symbol,
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE_MS - 1,
    open: '100.00',
    high: '103.00',
    low: '99.00',
    close,
    baseVolume: '1.50000000',
    quoteVolume: '150',
    takerBuyBaseVolume: '0',
    takerBuyQuoteVolume: '0',
    tradeCount: 7,
    firstTradeId: 1,
    lastTradeId: 7,
    state: 'live',
    revision: 0,
    complete: true,
  } as const
}
const told = (...args: Parameters<typeof bar>): ChartEvent => {
  const one = bar(...args)
  return { event: one.event, bar: one }
}
const feed = { symbol: 'BTCUSDT', state: 'live', lastTradeId: 7, lastTradeTime: 1, watermark: 1, ageMs: 3 } as const
const size = { columns: 200, rows: 50 }

test('each series has a row with its newest bar, its last closes and its feed', () => {
  const series = new WatchedSeries()
  for (const close of ['100.00', '101.00', '101.00', '102.00', '99.50']) series.take(told(close))
  series.take({ event: 'heartbeat', feed })
  const [head, row, ...more] = series.render(size, PLAIN)
  expect(head).toBe(
    `symbol   bar  open time              open    high    low  close  ${'last closes'.padEnd(30)}  volume  trades  event   feed  complete`,
  )
  expect(row).toBe(
    `BTCUSDT  1m   1970-01-01 00:01:00  100.00  103.00  99.00  99.50  ${'▂▅█▁'.padEnd(30)}    1.50       7  update  live  yes`,
  )
  expect(more).toEqual([])
})

test('the line of closes has the newest thirty, and a correction of an earlier bar is not one of them', () => {
  const series = new WatchedSeries()
  for (let close = 0; close < 100; close++) series.take(told(`${close}.00`, { minute: 5 }))
  const before = series.render(size, PLAIN)[1]!
  expect(before.match(/[▁▂▃▄▅▆▇█]+/)![0]).toHaveLength(30)
  series.take(told('1.00', { minute: 3, event: 'corrected' }))
  expect(series.render(size, PLAIN)[1]!.match(/[▁▂▃▄▅▆▇█]+/)![0]).toBe(before.match(/[▁▂▃▄▅▆▇█]+/)![0])
})

test('colours: above the open green, below red, and nothing else is added', () => {
  for (const [close, tone] of [
    ['101.00', 'up'],
    ['99.50', 'down'],
  ] as const) {
    const series = new WatchedSeries()
    series.take(told(close))
    series.take({ event: 'heartbeat', feed: { ...feed, state: 'stale' } })
    const row = series.render(size, COLORED)[1]!
    expect(row).toContain(COLORED(tone, close.padStart(6)).slice(0, 5))
    expect(row).toContain(COLORED('bad', 'stale'))
    expect(stripVTControlCharacters(row)).toBe(series.render(size, PLAIN)[1])
    expect(lineOf(bar(close), COLORED)).toContain(`c ${COLORED(tone, close)}`)
  }
})

test('where it is narrow the price stays whole, and no line is longer than the terminal', () => {
  const series = new WatchedSeries()
  series.take(told('100.00'))
  series.note('the edge went away; calling again')
  for (const columns of [120, 80, 60, 40, 20]) {
    const lines = series.render({ columns, rows: 50 }, PLAIN)
    expect(lines.every(line => line.length <= columns)).toBe(true)
    expect(lines[1]).toContain('100.00')
  }
  expect(series.render({ columns: 20, rows: 50 }, PLAIN)[1]).toBe('BTCUSDT  1m   100.00')
})

test('notes stand below the series, the last three of them', () => {
  const series = new WatchedSeries()
  series.take(told('100.00'))
  for (const note of ['a', 'b', 'c', 'd']) series.note(note)
  expect(series.render(size, PLAIN).slice(2)).toEqual(['b', 'c', 'd'])
})

test('where there are more series than rows, notes keep their place and a row says how many series are left out', () => {
  const series = new WatchedSeries()
  for (let number = 10; number < 40; number++) series.take(told('100.00', { symbol: `A${number}USDT` }))
  series.note('the edge went away; calling again')
  const lines = series.render({ columns: 80, rows: 23 }, PLAIN)
  expect(lines).toHaveLength(23)
  expect(lines[0]).toMatch(/^symbol/)
  expect(lines[20]).toMatch(/^A29USDT/)
  expect(lines.slice(21)).toEqual(['and 10 more', 'the edge went away; calling again'])
  expect(series.render({ columns: 80, rows: 1 }, PLAIN)).toEqual(['the edge went away; calling again'])
})
