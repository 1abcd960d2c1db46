import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { lineText } from './line.ts'
import { type Cell, type Column, tableLines, tableText } from './table.ts'
import { COLORED, PLAIN } from './tone.ts'

const columns: Column[] = [
  { head: 'symbol' },
  { head: 'open', align: 'right', leaveOut: 2 },
  { head: 'close', align: 'right' },
  { head: 'feed', leaveOut: 1 },
  { head: 'note', leaveOut: 2 },
]
const rows: Cell[][] = [
  ['BTCUSDT', '60123.10', { text: '60150.12', tone: 'up' }, { text: 'live', tone: 'good' }, ''],
  ['PEPE', '-', '-', '-', 'not heard yet'],
]
const shown = (width?: number, paint = PLAIN) =>
  tableLines(columns, rows, width).map(line => lineText(line, width ?? 200, paint))

test('a table is aligned, and its blank ends are left out', () => {
  expect(tableText(columns, rows, PLAIN)).toBe(
    [
      'symbol       open     close  feed  note\n',
      'BTCUSDT  60123.10  60150.12  live\n',
      'PEPE            -         -  -     not heard yet\n',
    ].join(''),
  )
})

test('where it is narrow the columns with the highest numbers are left out, the rightmost first', () => {
  expect(shown(47)).toEqual([
    'symbol       open     close  feed',
    'BTCUSDT  60123.10  60150.12  live',
    'PEPE            -         -  -',
  ])
  expect(shown(30)).toEqual(['symbol      close  feed', 'BTCUSDT  60150.12  live', 'PEPE            -  -'])
  expect(shown(20)).toEqual(['symbol      close', 'BTCUSDT  60150.12', 'PEPE            -'])
})

test('what must stay and has no room is cut', () => {
  expect(shown(10)).toEqual(['symbol    ', 'BTCUSDT  6', 'PEPE      '])
})

test('colour adds nothing but colour, also where a line is cut', () => {
  for (const width of [8, 10, 20, 30, 47, 200]) {
    const colored = shown(width, COLORED)
    expect(colored.map(stripVTControlCharacters)).toEqual(shown(width))
    expect(colored.join('')).not.toBe(shown(width).join(''))
  }
})
