import type { BarText } from '@chart/market'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDashboard, startServers, type TestDashboard, type TestServers } from './test-dashboard.ts'
import { MINUTE_START, TestMarket } from './test-market.ts'

const MINUTE = 60_000

/** As the protocol counts. */
const START = MINUTE_START / 1_000

let servers: TestServers
let dashboard: TestDashboard
let btc: TestMarket

beforeAll(async () => {
  servers = await startServers()
  btc = await TestMarket.open(servers.commands, 'BTCUSDT', { simulated: false })
  await TestMarket.open(servers.commands, 'PEPEUSDT', { tickSize: '0.00000001' })
  await TestMarket.open(servers.commands, 'ETHUSDT', { tickSize: '0.05000000' })
  await btc.trade(Array.from({ length: 20 }, (_, index) => MINUTE_START + index * MINUTE))
  dashboard = await startDashboard(servers)
})

afterAll(async () => {
  await dashboard[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})

async function ask(path: string) {
  const answer = await fetch(`http://127.0.0.1:${dashboard.port}/udf/${path}`)
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  return { status: answer.status, text: await answer.text() }
}

const askJson = async (path: string) => JSON.parse((await ask(path)).text)

function tableOf(bars: readonly BarText[]) {
  return {
    s: 'ok',
    t: bars.map(bar => bar.openTime / 1_000),
    o: bars.map(bar => Number(bar.open)),
    h: bars.map(bar => Number(bar.high)),
    l: bars.map(bar => Number(bar.low)),
    c: bars.map(bar => Number(bar.close)),
    v: bars.map(bar => Number(bar.baseVolume)),
  }
}

test('the configuration says that symbols are searched, and which resolutions there are', async () => {
  expect(await askJson('config')).toEqual({
    supported_resolutions: ['1S', '1', '5'],
    supports_search: true,
    supports_group_request: false,
    supports_marks: false,
    supports_timescale_marks: false,
    supports_time: true,
    exchanges: [],
    symbols_types: [{ name: 'Crypto', value: 'crypto' }],
  })
})

test('a symbol is described by its steps, resolutions and session', async () => {
  expect(await askJson('symbols?symbol=BTCUSDT')).toEqual({
    name: 'BTCUSDT',
    ticker: 'BTCUSDT',
    full_name: 'BTCUSDT',
    description: 'BTCUSDT',
    type: 'crypto',
    exchange: 'BINANCE',
    listed_exchange: 'BINANCE',
    session: '24x7',
    timezone: 'Etc/UTC',
    format: 'price',
    minmov: 1,
    pricescale: 100,
    volume_precision: 5,
    has_intraday: true,
    intraday_multipliers: ['1', '5'],
    has_seconds: true,
    seconds_multipliers: ['1'],
    has_daily: false,
    daily_multipliers: [],
    has_weekly_and_monthly: false,
    supported_resolutions: ['1S', '1', '5'],
    data_status: 'streaming',
  })
  expect(await askJson('symbols?symbol=SIMULATED:PEPEUSDT')).toMatchObject({
    name: 'PEPEUSDT',
    description: 'PEPEUSDT (simulated)',
    exchange: 'SIMULATED',
    minmov: 1,
    pricescale: 100_000_000,
  })
  expect(await askJson('symbols?symbol=ethusdt')).toMatchObject({ name: 'ETHUSDT', minmov: 5, pricescale: 100 })
})

test('symbols are found by a part of their name', async () => {
  const found = async (query: string) =>
    (await askJson(`search?${query}`)).map(({ symbol }: { symbol: string }) => symbol)
  expect(await found('query=&type=&exchange=&limit=30')).toEqual(['BTCUSDT', 'ETHUSDT', 'PEPEUSDT'])
  expect(await found('query=pe')).toEqual(['PEPEUSDT'])
  expect(await found('query=usdt&limit=2')).toEqual(['BTCUSDT', 'ETHUSDT'])
  expect(await found('query=usdt&exchange=SIMULATED')).toEqual(['ETHUSDT', 'PEPEUSDT'])
  expect(await found('query=usdt&type=stock')).toEqual([])
  expect(await askJson('search?query=BTC')).toEqual([
    {
      symbol: 'BTCUSDT',
      full_name: 'BTCUSDT',
      ticker: 'BTCUSDT',
      description: 'BTCUSDT',
      exchange: 'BINANCE',
      type: 'crypto',
    },
  ])
})

test('bars are those from `from` up to and without `to`, the live one among them, to the last digit', async () => {
  const bars = btc.all('1m')
  const of = (query: string) => askJson(`history?symbol=BTCUSDT&resolution=1&${query}`)
  expect(await of(`from=${START}&to=${START + 1_000_000}`)).toEqual(tableOf(bars))
  expect(await of(`from=${START + 60}&to=${START + 180}`)).toEqual(tableOf(bars.slice(1, 3)))
  expect(await of(`from=${START + 61}&to=${START + 181}`)).toEqual(tableOf(bars.slice(2, 4)))
  const { text } = await ask(`history?symbol=BTCUSDT&resolution=1&from=${START}&to=${START + 60}`)
  expect(text).toContain(`"c":[${bars[0]!.close}]`)
  const five = await askJson(`history?symbol=BTCUSDT&resolution=5&from=${START - 300}&to=${START + 1_000_000}`)
  expect(five).toEqual(tableOf(btc.all('5m')))
})

test('`countback` gives that many bars before `to`, whatever `from` says', async () => {
  const bars = btc.all('1m')
  const of = (query: string) => askJson(`history?symbol=BTCUSDT&resolution=1&${query}`)
  expect(await of(`from=${START + 600}&to=${START + 600}&countback=3`)).toEqual(tableOf(bars.slice(7, 10)))
  expect(await of(`to=${START + 120}&countback=300`)).toEqual(tableOf(bars.slice(0, 2)))
  expect(await of(`from=${START}&to=${START + 1_000_000}&countback=1`)).toEqual(tableOf(bars.slice(-1)))
})

test('a range without bars says so, and where the next older bar is', async () => {
  const of = (query: string) => askJson(`history?symbol=BTCUSDT&resolution=1&${query}`)
  expect(await of(`from=${START + 100_000}&to=${START + 200_000}`)).toEqual({
    s: 'no_data',
    nextTime: START + 19 * 60,
  })
  expect(await of('from=100&to=200')).toEqual({ s: 'no_data' })
  expect(await of(`from=0&to=${START}&countback=10`)).toEqual({ s: 'no_data' })
  expect(await of(`from=${START + 600}&to=${START}`)).toMatchObject({ s: 'no_data' })
})

test.each([
  ['symbols?symbol=NOPEUSDT', 404, 'unknown_symbol'],
  ['symbols', 400, 'symbol is missing; give one such as BTCUSDT'],
  ['history?symbol=NOPEUSDT&resolution=1&from=1&to=2', 404, 'unknown_symbol'],
  ['history?symbol=BTCUSDT&resolution=7&from=1&to=2', 400, 'resolution is not one of 1S, 1, 5'],
  ['history?symbol=BTCUSDT&resolution=60&from=1&to=2', 400, 'resolution is not one of 1S, 1, 5'],
  ['history?symbol=BTCUSDT&resolution=1&to=2', 400, 'from is missing, or countback'],
  ['history?symbol=BTCUSDT&resolution=1&from=x&to=2', 400, 'from is not a whole number from 0 to 253402300799'],
  [
    'history?symbol=BTCUSDT&resolution=1&from=1&to=253402300800',
    400,
    'to is not a whole number from 0 to 253402300799',
  ],
  ['search?query=a&limit=1000', 400, 'limit is not a whole number from 1 to 200'],
])('%s is answered with %i %s', async (path, status, errmsg) => {
  expect(await ask(path)).toEqual({ status, text: JSON.stringify({ s: 'error', errmsg }) })
})

test('the time is in seconds, as plain text', async () => {
  const now = Date.now() / 1_000
  const { text } = await ask('time')
  expect(text).toMatch(/^\d{10}$/)
  expect(Math.abs(Number(text) - now)).toBeLessThan(60)
})
