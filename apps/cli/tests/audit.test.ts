import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BinanceRest, barOfKline } from '@chart/binance'
import { type ExchangeSimulator, startExchangeSimulator } from '@chart/exchange-simulator'
import type { BarText } from '@chart/market'
import { migrate, openPostgres, upsertBars } from '@chart/postgres'
import { closeRedis, openRedis, registerSymbols } from '@chart/redis'
import { freePort, type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'
import { BARE_ENV, killApps, PATIENT, runApp, until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** `chart audit` against an edge with stored bars and a simulated exchange. */

const CHART = fileURLToPath(new URL('../bin/chart.ts', import.meta.url))
const MINUTE_MS = 60_000
const GENESIS_TIME = Date.UTC(2025, 0, 3)
/** 1,100 whole minutes, which are more than one page, and one that has begun. */
const MINUTES = 1_100
const DATA_DIR = mkdtempSync(join(tmpdir(), 'chart-audit-'))

let simulator: ExchangeSimulator
let redisServer: RedisServer
let postgresServer: PostgresServer
let address: string

interface Answer {
  status: number
  out: string
  err: string
}

function chart(args: readonly string[], env: Record<string, string> = {}): Promise<Answer> {
  return new Promise(resolve => {
    execFile(process.execPath, [CHART, ...args], { env: { ...BARE_ENV, DATA_DIR, ...env } }, (error, out, err) =>
      resolve({ status: error === null ? 0 : (error.code as number), out, err }),
    )
  })
}
const audit = (...args: string[]) => chart(['audit', ...args, '--address', address], { BINANCE_API_URL: simulator.url })
const iso = (minute: number) => new Date(GENESIS_TIME + minute * MINUTE_MS).toISOString()

beforeAll(async () => {
  ;[redisServer, postgresServer, simulator] = await Promise.all([
    startRedis(),
    startPostgres({ fsync: false }),
    startExchangeSimulator({
      market: { symbols: ['BTCUSDT'], tradesPerSecond: 0.5, genesisTime: GENESIS_TIME },
      // Slow enough that no further minute ends in this test.
      clock: { startTime: GENESIS_TIME + MINUTES * MINUTE_MS + 1_000, speed: 0.001 },
    }),
  ])
  const redis = await openRedis(redisServer.url, 'test', PATIENT)
  const info = {
    status: 'TRADING',
    tickSize: '',
    stepSize: '',
    simulated: false,
    priceScale: 8,
    quantityScale: 8,
    quoteScale: 8,
  }
  await registerSymbols(redis, [{ symbol: 'BTCUSDT', ...info }], 4)
  closeRedis(redis)
  await using postgres = await openPostgres({ url: postgresServer.url, applicationName: 'test' })
  await migrate(postgres)
  await upsertBars(postgres, await storedBars())
  const port = await freePort()
  address = `127.0.0.1:${port}`
  runApp('edge', {
    REDIS_URL: redisServer.url,
    DATABASE_URL: postgresServer.url,
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: String(port),
  })
  await until('the edge serves', async () => (await chart(['symbols', '--address', address])).out.includes('BTCUSDT'))
})
afterAll(async () => {
  await killApps()
  await Promise.all([redisServer.close(), postgresServer.close(), simulator.close()])
  rmSync(DATA_DIR, { recursive: true })
})

/** The exchange's own bars; of the last hundred minutes one is changed and one left out. */
async function storedBars(): Promise<BarText[]> {
  const rest = new BinanceRest({ apiUrl: simulator.url })
  const first = await rest.klines('BTCUSDT', '1m', { startTime: GENESIS_TIME, limit: 1_000 })
  const rest1m = await rest.klines('BTCUSDT', '1m', { startTime: GENESIS_TIME + 1_000 * MINUTE_MS, limit: 1_000 })
  const bars = [...first, ...rest1m].slice(0, MINUTES).map((kline, index) => {
    const { proof, ...bar } = barOfKline('BTCUSDT', '1m', kline)
    return { ...bar, firstTradeId: index, lastTradeId: index, complete: true }
  })
  return bars
    .map((bar, index) =>
      index === 1_050 ? { ...bar, tradeCount: bar.tradeCount + 1, quoteVolume: '99999999.5' } : bar,
    )
    .filter((_, index) => index !== 1_060)
}

test('a range that is equal says so over more than one page, with status 0', async () => {
  const { status, out, err } = await audit('BTCUSDT', '--from', iso(0), '--to', iso(1_050))
  expect(err).toBe('')
  expect(out).toBe(
    `1050 equal (0 verified before, 0 imported), 0 differ, 0 missing, 0 surplus; compared with ${simulator.url}\n`,
  )
  expect(status).toBe(0)
})

test('what differs is said per field with both values, what is missing too, with status 1; the minute that runs is left out', async () => {
  const { status, out } = await audit('BTCUSDT', '--from', iso(0), '--to', iso(MINUTES + 60))
  const lines = out.trim().split('\n')
  const at = (minute: number) => iso(minute).slice(0, 19).replace('T', ' ')
  expect(lines[0]).toMatch(new RegExp(`^${at(1_050)} {2}quoteVolume +stored 99999999\\.5 {2}exchange \\d+\\.\\d{8}$`))
  expect(lines[1]).toMatch(new RegExp(`^${at(1_050)} {2}tradeCount +stored \\d+ {2}exchange \\d+$`))
  expect(lines[2]).toBe(`${at(1_060)}  missing: the exchange has this bar, the service does not`)
  expect(lines[3]).toMatch(/^1098 equal .* 1 differ, 1 missing, 0 surplus;/)
  expect([lines.length, status]).toEqual([4, 1])
  const json = await audit('BTCUSDT', '--from', iso(1_060), '--to', iso(1_061), '--json')
  expect(
    json.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toMatchObject([
    { kind: 'missing', openTime: GENESIS_TIME + 1_060 * MINUTE_MS },
    { kind: 'summary', missing: 1, equal: 0 },
  ])
})

test('without an address the exchange is that of the service that npm start runs', async () => {
  mkdirSync(join(DATA_DIR, 'simulated'))
  const run = { pid: process.pid, grpc: address, binanceApiUrl: simulator.url }
  writeFileSync(join(DATA_DIR, 'simulated', 'run.json'), JSON.stringify(run))
  const answer = await chart(['audit', 'BTCUSDT', '--from', iso(0), '--to', iso(5), '--address', address])
  expect(answer).toMatchObject({ status: 0, err: '' })
  expect(answer.out).toContain(
    `5 equal (0 verified before, 0 imported), 0 differ, 0 missing, 0 surplus; compared with ${simulator.url}`,
  )
})

test.each([
  [[], 'name one symbol, such as BTCUSDT'],
  [['BTCUSDT'], '--from is missing; give a time such as 2026-04-01T12:30'],
  [['BTCUSDT', '--from', 'monday', '--to', '2026-04-02'], '--from "monday" is no time such as 2026-04-01T12:30'],
  [['BTCUSDT', '--from', '2026-04-02', '--to', '2026-04-01'], '--to must be at least one bar after --from'],
  [['BTCUSDT', '--from', '2026-04-01', '--to', '2026-04-02', '--interval', '7m'], '--interval is one of 1s, 1m'],
  [['BTCUSDT', '--from', '2026-04-01', '--to', '2026-04-02', '--exchange', 'x'], '--exchange must be a URL such as'],
])('what makes no sense is one line and status 2: %j', async (args, message) => {
  const { status, err } = await audit(...args)
  expect(err.startsWith(`chart audit: ${message}`), err).toBe(true)
  expect([err.trim().split('\n').length, status]).toEqual([1, 2])
})

test('an exchange or a service that is not there is one line and status 1', async () => {
  const range = ['--from', iso(0), '--to', iso(5)]
  const noExchange = await audit('BTCUSDT', ...range, '--exchange', 'http://127.0.0.1:1')
  expect(noExchange.err).toMatch(/^chart audit: the exchange at http:\/\/127\.0\.0\.1:1: .*\n$/)
  const noService = await chart(['audit', 'BTCUSDT', ...range, '--address', '127.0.0.1:1', '--exchange', simulator.url])
  expect(noService.err).toMatch(/^chart: .*is the service running at 127\.0\.0\.1:1\?.*\n$/)
  const unserved = await audit('NOPEUSDT', ...range)
  expect(unserved.err).toBe('chart: symbol NOPEUSDT is not served; ListSymbols tells what is\n')
  expect([noExchange.status, noService.status, unserved.status]).toEqual([1, 1, 1])
})
