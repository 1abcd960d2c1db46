import { stripVTControlCharacters } from 'node:util'
import { COLORED, lineText, PLAIN } from '@chart/terminal'
import { expect, test } from 'vitest'
import { lookOf } from './status.testing.ts'
import { findingsOf } from './status-findings.ts'
import { statusLines } from './status-view.ts'

function shown(look = lookOf(), columns = Number.POSITIVE_INFINITY, paint = PLAIN): string[] {
  return statusLines(look, findingsOf(look), columns).map(line => lineText(line, columns, paint))
}

test('the judgement stands first, and what it was made of below', () => {
  expect(shown()).toEqual([
    'all well',
    '',
    'Redis        127.0.0.1:6379   3.0 MB of 512 MB',
    'queue        0 waiting   0 active   0 delayed   0 failed',
    'outbox       0 closed bars wait for PostgreSQL',
    'auditor      auditor-1 leads',
    'ingestors    ingestor-1   ingestor-2',
    'aggregators  aggregator-1   aggregator-2',
    '',
    'feed shard  leader      lease  in line                 partitions',
    '0           ingestor-1  1.2 s  ingestor-1, ingestor-2           1',
    '',
    'partition  fed by      epoch  aggregated by  epoch  log entries  behind  pending  symbols',
    '{p07}      ingestor-1      3  aggregator-1       5         1000       0        0  BTCUSDT',
    '',
    'symbol   feed    age  last trade               last trade id  exchange',
    'BTCUSDT  live  0.4 s  2026-04-01 11:59:59.700             77  TRADING',
  ])
})

test('what is wrong stands first, a line for each, and those that died are named', () => {
  const look = lookOf({
    audit: undefined,
    partition: { isOwned: false, seq: 5_007 },
    aggregators: [
      { name: 'aggregator-1', ageMs: 42_000, isAlive: false },
      { name: 'aggregator-2', ageMs: 100, isAlive: true },
    ],
  })
  const lines = shown(look)
  expect(lines.slice(0, 3)).toEqual([
    "not well: no auditor is at work: stored bars are not compared with the exchange's",
    'not well: partition {p07} (BTCUSDT) belongs to no aggregator, the last was aggregator-1; 7 log entries wait',
    '',
  ])
  expect(lines).toContain('aggregators  aggregator-1 (not heard for 42 s)   aggregator-2')
  expect(lines.find(line => line.startsWith('{p07}'))).toMatch(/ none +5 +1000 +7 +0 /)
})

test('colour adds nothing but colour', () => {
  const bad = lookOf({ failed: 1 })
  for (const look of [lookOf(), bad]) {
    expect(shown(look, 200, COLORED).map(stripVTControlCharacters)).toEqual(shown(look, 200))
  }
  expect(shown(lookOf(), 200, COLORED)[0]).toBe(COLORED('good', 'all well'))
  expect(shown(bad, 200, COLORED)[0]).toContain(COLORED('bad', 'not well: '))
})

test('where it is narrow, columns are left out; who owns what and how far behind it is stays', () => {
  const row = (columns: number, start: string) => shown(lookOf(), columns).find(line => line.startsWith(start))
  expect(row(60, '{p07}')).toBe('{p07}      ingestor-1  aggregator-1        0        0')
  expect(row(45, '{p07}')).toBe('{p07}      aggregator-1        0        0')
  expect(row(40, 'BTCUSDT')).toBe('BTCUSDT  live  0.4 s')
})
