import { expect, test } from 'vitest'
import { lineText, wrappedLine } from './line.ts'
import { PLAIN } from './tone.ts'

const wrapped = (columns: number, ...texts: string[]) =>
  wrappedLine(
    texts.map(text => ({ text })),
    columns,
  ).map(line => lineText(line, columns, PLAIN).trimEnd())

test('a line that fits is one line', () => {
  expect(wrapped(20, 'not well: ', 'no auditor')).toEqual(['not well: no auditor'])
  expect(wrapped(20, '')).toEqual([''])
})

test('a longer one is broken at blanks, and keeps its tones', () => {
  expect(wrapped(20, 'not well: ', 'no auditor is at work: bars are not compared')).toEqual([
    'not well: no auditor',
    'is at work: bars are',
    'not compared',
  ])
  const line = [{ text: 'not well: ', tone: 'bad' }, { text: 'no auditor' }] as const
  expect(wrappedLine(line, 9)).toEqual([
    [
      { text: 'not ', tone: 'bad' },
      { text: 'well: ', tone: 'bad' },
    ],
    [{ text: 'no ' }],
    [{ text: 'auditor' }],
  ])
})

test('a word that is longer than a line is broken itself, and nothing is lost', () => {
  expect(wrapped(5, 'see ', 'abcdefghijkl mn')).toEqual(['see', 'abcde', 'fghij', 'kl mn'])
})

test('what is told by others cannot command the terminal, nor break the line', () => {
  expect(lineText([{ text: 'ingestor\x1b[31m\nred' }], 80, PLAIN)).toBe('ingestor?[31m?red')
})
