import { stripVTControlCharacters } from 'node:util'
import { COLORED, PLAIN } from '@chart/terminal'
import { expect, test } from 'vitest'
import type { Snapshot } from './snapshot.ts'
import { renderLine, renderTable } from './table.ts'

const openTime = Date.UTC(2024, 7, 8, 12, 34)
const snapshot: Snapshot = {
  takenTime: openTime + 12_000,
  input: { mode: 'simulated', reason: 'api.binance.com does not answer within 3 s' },
  addresses: {
    chart: 'http://127.0.0.1:8080',
    grpc: '127.0.0.1:50051',
    redis: 'redis://127.0.0.1:6400',
    postgres: 'postgres://postgres@127.0.0.1:6401/postgres',
    watch: 'npx chart watch BTCUSDT',
  },
  symbols: [
    {
      symbol: 'BTCUSDT',
      bar: {
        openTime,
        open: '60123.10000000',
        high: '60200.00000000',
        low: '60100.00000000',
        close: '60150.12000000',
        baseVolume: '1.50000000',
        tradeCount: 42,
      },
      closes: ['60100.00', '60180.00', '60123.10'],
      tradesPerSecond: 12.34,
      feedState: 'live',
      newestRowTime: openTime - 60_000,
    },
    { symbol: 'PEPEUSDT' },
  ],
  processes: [
    { name: 'redis', pid: 11, state: 'ready', restarts: 0 },
    { name: 'aggregator-1', state: 'waiting', restarts: 3, note: 'ended by SIGKILL' },
  ],
  rows: 17,
  faults: [],
}
const size = { columns: 200, rows: 100 }

test('the table says what it shows, aligned, and never hides that the market is simulated', () => {
  expect(renderTable(snapshot, size, PLAIN)).toEqual([
    ' SIMULATED: invented trades, not a market. Binance is not used: api.binance.com does not answer within 3 s ',
    '',
    'Chart       http://127.0.0.1:8080',
    'gRPC        127.0.0.1:50051   watch it:  npx chart watch BTCUSDT',
    'Redis       redis://127.0.0.1:6400',
    'PostgreSQL  postgres://postgres@127.0.0.1:6401/postgres   17 bars written',
    '',
    'symbol      1m bar      open      high       low     close  last 1m closes                  volume  trades  trades/s  feed  newest row',
    'BTCUSDT   12:34:00  60123.10  60200.00  60100.00  60150.12  ▁█▃▆                              1.50      42      12.3  live    12:33:00',
    'PEPEUSDT         -         -         -         -         -                                       -       -         -  -              -',
    '',
    'process       pid  state    restarts',
    'redis          11  ready           0',
    'aggregator-1    -  waiting         3  ended by SIGKILL',
    '',
    '12:34:12 UTC   Ctrl-C ends everything',
  ])
})

test('live is said as plainly', () => {
  expect(renderTable({ ...snapshot, input: { mode: 'live' } }, size, PLAIN)[0]).toBe(' LIVE: trades from Binance ')
})

test('where the terminal is narrow, columns are left out and no price is cut', () => {
  const rowAt = (columns: number) =>
    renderTable(snapshot, { ...size, columns }, PLAIN).find(line => line.startsWith('BTCUSDT'))
  expect([100, 80, 60, 40, 20].map(rowAt)).toEqual([
    'BTCUSDT   60200.00  60100.00  60150.12  ▁█▃▆                                42      12.3  live',
    'BTCUSDT   60150.12  ▁█▃▆                                42      12.3  live',
    'BTCUSDT   60150.12      12.3  live',
    'BTCUSDT   60150.12      12.3  live',
    'BTCUSDT   60150.12',
  ])
})

test('a small terminal cuts lines and keeps the banner', () => {
  const lines = renderTable(snapshot, { columns: 20, rows: 5 }, PLAIN)
  expect(lines).toHaveLength(5)
  expect(lines[0]).toBe(' SIMULATED: invented')
  expect(lines.every(line => line.length <= 20)).toBe(true)
})

test('where there is no room for all, what is not as it should be is seen: processes first, then symbols become a number', () => {
  const many = {
    ...snapshot,
    symbols: Array.from({ length: 20 }, (_, index) => ({ symbol: `A${index + 10}USDT` })),
    processes: [
      ...Array.from({ length: 10 }, (_, index) => ({ ...snapshot.processes[0]!, name: `ready-${index}` })),
      snapshot.processes[1]!,
    ],
    faults: ['Redis does not answer'],
  }
  const lines = renderTable(many, { columns: 80, rows: 23 }, PLAIN)
  expect(lines).toHaveLength(23)
  expect(lines[0]).toMatch(/^ SIMULATED/)
  expect(lines.slice(15)).toEqual([
    expect.stringMatching(/^A17USDT/),
    'and 12 more',
    '',
    '10 of 11 processes ready',
    'aggregator-1 waiting (ended by SIGKILL)',
    'Redis does not answer',
    '',
    '12:34:12 UTC   Ctrl-C ends everything',
  ])
})

test('colour adds nothing but colour: green above the open, red below, and how feeds and processes are', () => {
  const colored = renderTable(snapshot, size, COLORED)
  expect(colored.map(stripVTControlCharacters)).toEqual(renderTable(snapshot, size, PLAIN))
  const paintedAs = (tone: 'up' | 'down' | 'good' | 'bad', text: string) =>
    colored.join('\n').includes(COLORED(tone, text))
  expect(paintedAs('up', '60150.12')).toBe(true)
  expect(paintedAs('good', 'live')).toBe(true)
  expect(paintedAs('bad', 'waiting')).toBe(true)
  const [first, ...others] = snapshot.symbols
  const fallen = { ...snapshot, symbols: [{ ...first!, bar: { ...first!.bar!, close: '60111.00' } }, ...others] }
  expect(renderTable(fallen, size, COLORED).join('\n')).toContain(COLORED('down', '60111.00'))
})

test('faults are said below the processes', () => {
  const lines = renderTable({ ...snapshot, faults: ['Redis does not answer'] }, size, PLAIN)
  expect(lines.at(-3)).toBe('Redis does not answer')
})

test('where nobody watches, one line has it all', () => {
  expect(renderLine({ ...snapshot, faults: ['Redis does not answer'] }, PLAIN)).toBe(
    '2024-08-08T12:34:12.000Z  SIMULATED  BTCUSDT 60150.12 (12.3/s, 42 trades, live)  PEPEUSDT - (-/s, 0 trades, no feed)  17 bars written  1/2 processes ready  aggregator-1 waiting (ended by SIGKILL)  Redis does not answer',
  )
})
