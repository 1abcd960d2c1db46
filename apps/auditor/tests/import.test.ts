import { upsertBars } from '@chart/postgres'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import {
  GENESIS_TIME,
  MINUTE_MS,
  metricOf,
  numbersOf,
  openRig,
  openTimes,
  oracleOf,
  type Servers,
  START_TIME,
  startServers,
  TEST_TIMEOUT_MS,
} from './rig.ts'

/** History before the service's own: taken over from the exchange's bars, and giving way to bars made of trades. */

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS })

let servers: Servers
beforeAll(async () => {
  servers = await startServers()
})
afterEach(killApps)
afterAll(() => servers[Symbol.asyncDispose]())

test('an empty database is given the last bars of each interval at once, marked as imported', async () => {
  // Past the grace after the hour, so that its last bars are there to be taken over.
  await using rig = await openRig(servers, START_TIME + 30_000)
  const { metrics } = rig.startAuditor({ importBars: 60 })
  await until('both intervals have history', async () => {
    return (await rig.rows('1m')).length >= 60 && (await rig.rows('5m')).length >= 24
  })
  for (const interval of ['1m', '5m']) {
    const rows = await rig.rows(interval)
    const oracle = await oracleOf(rig, rows, interval)
    expect(rows.map(numbersOf)).toEqual(oracle.map(numbersOf))
    for (const row of rows) {
      expect(row).toMatchObject({ proof: 'imported', complete: false, firstTradeId: -1, lastTradeId: -1, revision: 0 })
    }
  }
  // Two hours of trading, and sixty bars wanted: the last minutes, and every 5m bar there is.
  const [first] = await rig.rows('1m')
  expect(first!.openTime).toBeGreaterThanOrEqual(START_TIME - 60 * MINUTE_MS)
  expect((await rig.rows('5m')).map(({ openTime }) => openTime).slice(0, 24)).toEqual(openTimes(24, '5m'))
  expect(await metricOf(metrics.verified)).toBe(0)
})

test('bars made of trades follow on imported ones without a hole, and all of them are right', async () => {
  await using rig = await openRig(servers)
  rig.startService()
  rig.startAuditor({ importBars: 1_000 })
  const made = await rig.untilStored(3)
  const last = await rig.untilVerified(made[2]!.openTime)
  const count = (last.openTime - GENESIS_TIME) / MINUTE_MS + 1
  const rows = async () => (await rig.rows()).filter(({ openTime }) => openTime <= last.openTime)
  await until('no minute is missing', async () => (await rows()).length === count)
  const stored = await rows()
  expect(stored.map(({ openTime }) => openTime)).toEqual(openTimes(count))
  expect(stored.map(numbersOf)).toEqual((await oracleOf(rig, stored)).map(numbersOf))
  expect(new Set(stored.map(({ proof }) => proof))).toEqual(new Set(['imported', 'verified']))
})

test('a series that was begun long ago is given nothing, one that has just begun is', async () => {
  await using rig = await openRig(servers)
  const [old] = (await rig.oracle('1m')).filter(({ openTime }) => openTime === GENESIS_TIME)
  const bar = (interval: string, openTime: number, lengthMs: number) => {
    const { live, ...numbers } = old!
    return {
      ...numbers,
      interval,
      openTime,
      closeTime: openTime + lengthMs - 1,
      state: 'closed' as const,
      revision: 0,
      complete: true,
    }
  }
  await upsertBars(rig.postgres, [
    bar('1m', GENESIS_TIME, MINUTE_MS),
    bar('5m', START_TIME - 5 * MINUTE_MS, 5 * MINUTE_MS),
  ])
  rig.startAuditor({ importBars: 1_000 })
  await until('the 5m bars have history', async () => (await rig.rows('5m')).length === 24)
  await rig.untilVerified(GENESIS_TIME)
  expect(await rig.rows('1m')).toHaveLength(1)
  // One of the two was none of the exchange's: it is made right, and stays a bar made of trades.
  expect((await rig.row(START_TIME - 5 * MINUTE_MS, '5m'))!.proof).not.toBe('imported')
})

test('a hole of hours between stored bars and new ones is filled with imported bars, its newest with bars made of trades', async () => {
  await using rig = await openRig(servers)
  const [oldest] = await rig.rest.klines('BTCUSDT', '1m', { startTime: GENESIS_TIME, limit: 1 })
  const { live, ...numbers } = (await rig.oracle()).find(({ openTime }) => openTime === oldest!.openTime)!
  await upsertBars(rig.postgres, [{ ...numbers, state: 'closed', revision: 0, complete: true }])
  rig.startService()
  const { metrics } = rig.startAuditor()
  const made = (await rig.untilStored(3)).at(-1)!
  await rig.untilVerified(made.openTime)
  const count = (made.openTime - GENESIS_TIME) / MINUTE_MS + 1
  const rows = async () => (await rig.rows()).filter(({ openTime }) => openTime <= made.openTime)
  await until('the hole is filled', async () => (await rows()).length === count)
  const stored = await rows()
  expect(stored.map(numbersOf)).toEqual((await oracleOf(rig, stored)).map(numbersOf))
  expect(stored[1]!.proof).toBe('imported')
  expect(await metricOf(metrics.imported)).toBeGreaterThan(90)
  expect(await metricOf(metrics.missing)).toBeGreaterThan(100)
})
