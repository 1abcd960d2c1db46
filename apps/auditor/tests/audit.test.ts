import type { Kline } from '@chart/binance'
import { intervalsOf } from '@chart/market'
import { countPending, readSymbols } from '@chart/redis'
import { killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import {
  idsOf,
  MINUTE_MS,
  metricOf,
  numbersOf,
  openRig,
  oracleOf,
  type Servers,
  SYMBOL,
  startServers,
  TEST_TIMEOUT_MS,
} from './rig.ts'

/** Stored bars against the exchange's own, with the whole service at work: what is right is proven, what is wrong is made right. */

/** The longer bar in which the service began is repaired as well, which tests that count repairs leave out. */
const MINUTES = intervalsOf(['1m'])

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS })

let servers: Servers
beforeAll(async () => {
  servers = await startServers()
})
afterEach(killApps)
afterAll(() => servers[Symbol.asyncDispose]())

test('bars that equal the exchange are verified, and further passes change nothing', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const { metrics } = rig.startAuditor({ intervals: MINUTES })
  const [first, second] = await rig.untilStored(2)
  await rig.untilVerified(first!.openTime)
  await rig.untilVerified(second!.openTime)
  const snapshot = async () =>
    (
      await rig.postgres.query({
        text: 'SELECT xmin, * FROM bars WHERE interval = $1 AND open_time <= $2 ORDER BY open_time',
        values: ['1m', new Date(second!.openTime).toISOString()],
      })
    ).rows
  const before = await snapshot()
  const passes = await countOf(metrics.passSeconds)
  await until('ten more passes', async () => (await countOf(metrics.passSeconds)) > passes + 10)
  expect(await snapshot()).toEqual(before)
  await until('the proof of a later bar was timed', async () => (await countOf(metrics.provenSeconds)) > 0)
  expect(await countOf(metrics.provenSeconds)).toBeLessThan(await metricOf(metrics.verified))
  expect(await metricOf(metrics.differences)).toBe(0)
  expect(await metricOf(metrics.missing)).toBe(0)
})

async function countOf(histogram: { get(): Promise<{ values: { value: number; metricName?: string }[] }> }) {
  const { values } = await histogram.get()
  return values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0
}

test('a damaged row is found field by field, and comes back through the log as a correction', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  // More than the three closed bars that an aggregator keeps.
  const [row] = await rig.untilStored(5)
  await rig.damage(row!.openTime, 'high = high + 1, taker_buy_base_volume = 0, trade_count = trade_count + 1')
  const { metrics } = rig.startAuditor({ intervals: MINUTES })
  const repaired = await rig.untilVerified(row!.openTime)
  expect(repaired).toEqual({ ...row!, revision: 1, proof: 'verified' })
  for (const field of ['high', 'takerBuyBaseVolume', 'tradeCount']) {
    expect(await metricOf(metrics.differences, { field }), field).toBe(1)
  }
  expect(await metricOf(metrics.differences)).toBe(3)
  expect(await metricOf(metrics.repairs, { by: 'log' })).toBe(1)
})

test('a damaged row of a bar that its owner still keeps is mended where it is stored', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const [row] = await rig.untilStored(1, '5m')
  await rig.damage(row!.openTime, 'quote_volume = quote_volume + 1, last_trade_id = last_trade_id + 5000', '5m')
  const { metrics } = rig.startAuditor()
  const repaired = await rig.untilVerified(row!.openTime, '5m')
  expect(numbersOf(repaired)).toEqual(numbersOf((await oracleOf(rig, [row!], '5m'))[0]!))
  expect(idsOf(repaired)).toEqual(idsOf((await oracleOf(rig, [row!], '5m'))[0]!))
  expect(await metricOf(metrics.differences, { field: 'quoteVolume' })).toBe(1)
  expect(await metricOf(metrics.repairs, { by: 'row' })).toBeGreaterThan(0)
})

test('a bar that had begun before the service is complete soon after its end', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  // In whichever it is that the service comes up.
  const [first] = await rig.untilStored(1, '5m')
  await rig.damage(first!.openTime, 'complete = false, trade_count = 1, first_trade_id = last_trade_id', '5m')
  rig.startAuditor()
  const repaired = await rig.untilVerified(first!.openTime, '5m')
  const [oracle] = await oracleOf(rig, [repaired], '5m')
  expect(repaired.complete).toBe(true)
  expect([numbersOf(repaired), idsOf(repaired)]).toEqual([numbersOf(oracle!), idsOf(oracle!)])
})

test('trade ids are compared with those of the stream', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const { metrics } = rig.startAuditor({ intervals: MINUTES })
  // The newest of several, since the stream tells nothing of the time before the auditor heard it.
  const row = (await rig.untilStored(3)).at(-1)!
  await rig.untilVerified(row.openTime)
  await rig.damage(row.openTime, 'first_trade_id = first_trade_id - 1')
  const repaired = await rig.untilVerified(row.openTime)
  expect(idsOf(repaired)).toEqual(idsOf(row))
  expect(await metricOf(metrics.differences, { field: 'firstTradeId' })).toBe(1)
  expect(await metricOf(metrics.differences)).toBe(1)
})

test('a row that is missing altogether is made out of its trades', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const stored = await rig.untilStored(5)
  const lost = stored[1]!
  await rig.postgres.query({
    text: 'DELETE FROM bars WHERE interval = $1 AND open_time = $2',
    values: ['1m', new Date(lost.openTime).toISOString()],
  })
  const { metrics } = rig.startAuditor({ intervals: MINUTES })
  expect(await rig.untilVerified(lost.openTime)).toEqual({ ...lost, revision: 1, proof: 'verified' })
  expect(await metricOf(metrics.missing)).toBe(1)
  expect(await metricOf(metrics.repairs, { by: 'log' })).toBe(1)
})

test('a bar that waits for PostgreSQL in the outbox is not missing', async () => {
  await using rig = await openRig(servers)
  const persister = rig.startService()
  await rig.untilStored(1)
  persister.child.kill('SIGKILL')
  await persister.exited
  const tag = (await readSymbols(rig.redis)).get(SYMBOL)!
  await until('bars wait', async () => (await countPending(rig.redis, tag)) >= 3)
  const { metrics } = rig.startAuditor({ intervals: MINUTES })
  const [first] = await rig.rows()
  await rig.untilVerified(first!.openTime)
  const passes = await countOf(metrics.passSeconds)
  await until('ten more passes', async () => (await countOf(metrics.passSeconds)) > passes + 10)
  expect(await metricOf(metrics.missing)).toBe(0)
  runApp('persister', rig.env)
  const stored = await rig.untilStored(3)
  await rig.untilVerified(stored[2]!.openTime)
  expect([await metricOf(metrics.missing), await metricOf(metrics.repairs)]).toEqual([0, 0])
})

test('a flat bar that the exchange does not have is said and left', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const stored = await rig.untilStored(1)
  rig.simulator.halt({ symbol: SYMBOL, ms: 2.5 * MINUTE_MS })
  const haltTime = rig.simulator.now()
  await until('trading goes on', () => rig.simulator.now() > haltTime + 3 * MINUTE_MS)
  const inHalt = haltTime - (haltTime % MINUTE_MS) + MINUTE_MS
  await rig.postgres.query({
    text: `INSERT INTO bars (symbol, interval, open_time, open, high, low, close, base_volume, quote_volume, taker_buy_base_volume,
        taker_buy_quote_volume, trade_count, first_trade_id, last_trade_id, revision, complete, state)
      SELECT symbol, interval, $2, close, close, close, close, 0, 0, 0, 0, 0, -1, -1, 0, true, 'closed'
      FROM bars WHERE interval = '1m' AND open_time = $1 ON CONFLICT DO NOTHING`,
    values: [stored[0]!.openTime, inHalt].map(time => new Date(time).toISOString()),
  })
  const { metrics } = rig.startAuditor()
  await until('it is said', async () => (await metricOf(metrics.surplus)) >= 1)
  expect(await rig.row(inHalt)).toMatchObject({ tradeCount: 0 })
  expect((await rig.row(inHalt))!.proof).toBeUndefined()
})

test('a bar that the exchange itself contradicts with its trades is left as it is, and said once', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const [row, next] = await rig.untilStored(2)
  const lying = {
    exchangeInfo: rig.rest.exchangeInfo.bind(rig.rest),
    firstTradeIdSince: rig.rest.firstTradeIdSince.bind(rig.rest),
    latestTradeId: rig.rest.latestTradeId.bind(rig.rest),
    serverTime: rig.rest.serverTime.bind(rig.rest),
    tradeRows: rig.rest.tradeRows.bind(rig.rest),
    tradeStatistics: rig.rest.tradeStatistics.bind(rig.rest),
    klines: async (...asked: Parameters<typeof rig.rest.klines>): Promise<Kline[]> =>
      (await rig.rest.klines(...asked)).map(kline =>
        kline.openTime === row!.openTime ? { ...kline, close: '1.00000000' } : kline,
      ),
  }
  const { metrics } = rig.startAuditor({ rest: lying, intervals: MINUTES })
  await until('it is said', async () => (await metricOf(metrics.unexplained)) === 1)
  await rig.untilVerified(next!.openTime)
  expect(await rig.row(row!.openTime)).toEqual(row)
  expect(await metricOf(metrics.repairs)).toBe(0)
})

test('while the exchange says stop it is not asked, and afterwards bars are verified, also without its stream', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  const [row] = await rig.untilStored(2)
  rig.simulator.restStatus({ status: 429, count: 1, retryAfterSec: 2 })
  const { metrics } = rig.startAuditor({ intervals: MINUTES, openKlines: deaf })
  await rig.untilVerified(row!.openTime)
  rig.simulator.restStatus({ status: 503, count: 3 })
  const later = (await rig.rows()).at(-1)!.openTime + MINUTE_MS
  await rig.untilVerified(later)
  expect(await metricOf(metrics.differences)).toBe(0)
})

/** A stream that never says anything and breaks. */
// biome-ignore lint/correctness/useYield: that it yields nothing is its point
async function* deaf(): AsyncGenerator<never> {
  throw new Error('no stream')
}
