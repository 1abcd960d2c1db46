import { type PostgresServer, startPostgres } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  countProven,
  listBars,
  listUnverified,
  mendRow,
  migrate,
  type Postgres,
  seriesSpan,
  upsertBars,
  verifyBars,
} from '../src/index.ts'
import { AUGUST, bar, freshDatabase, MINUTE, openTest } from './fresh-database.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ fsync: false })
})
afterAll(() => server.close())

async function migrated(): Promise<Postgres> {
  const postgres = await openTest(await freshDatabase(server.url))
  await migrate(postgres)
  return postgres
}

const minute = (index: number, over = {}) =>
  bar({ openTime: AUGUST + index * MINUTE, closeTime: AUGUST + (index + 1) * MINUTE - 1, ...over })
const series = { symbol: 'BTCUSDT', interval: '1m' }
const rows = (postgres: Postgres) => listBars(postgres, { ...series, order: 'oldest', limit: 100 })

test('the work list is the bars made of trades without a proof, newest first, over the ends of months', async () => {
  await using postgres = await migrated()
  const september = Date.UTC(2024, 8, 1)
  const bars = [0, 1, 2].map(index => minute(index))
  const later = bar({ openTime: september, closeTime: september + MINUTE - 1 })
  const imported = minute(4, { proof: 'imported', complete: false, firstTradeId: -1, lastTradeId: -1 })
  await upsertBars(postgres, [...bars, later, imported, minute(5, { symbol: 'ETHUSDT' })])
  const list = async (from: number, to: number, limit = 10) =>
    (await listUnverified(postgres, { ...series, from, to, limit })).map(({ openTime }) => openTime)
  const times = bars.map(({ openTime }) => openTime)
  expect(await list(AUGUST, september + MINUTE)).toEqual([september, ...times.toReversed()])
  expect(await list(AUGUST + 1, september)).toEqual([times[2], times[1]])
  expect(await list(AUGUST, september + MINUTE, 2)).toEqual([september, times[2]])
  expect(await verifyBars(postgres, [bars[1]!, later])).toBe(2)
  expect(await list(AUGUST, september + MINUTE)).toEqual([times[2], times[0]])
  const count = (from: number, to: number) => countProven(postgres, { ...series, from, to })
  expect([await count(AUGUST, september + MINUTE), await count(AUGUST + 2 * MINUTE, september)]).toEqual([3, 1])
  const { rows: plan } = await postgres.query<{ 'QUERY PLAN': string }>({
    text: `EXPLAIN SELECT open_time FROM bars WHERE state = 'closed' AND symbol = 'BTCUSDT' AND interval = '1m' ORDER BY open_time DESC`,
  })
  expect(JSON.stringify(plan)).toContain('symbol_interval_open_time_idx')
})

test('a verified bar says so, until a correction comes; what has another version by now is not marked', async () => {
  await using postgres = await migrated()
  const first = minute(0)
  await upsertBars(postgres, [first])
  expect(await verifyBars(postgres, [])).toBe(0)
  expect(await verifyBars(postgres, [{ ...first, revision: 1 }])).toBe(0)
  expect(await verifyBars(postgres, [{ ...first, lastTradeId: first.lastTradeId + 1 }])).toBe(0)
  expect(await verifyBars(postgres, [first])).toBe(1)
  expect(await rows(postgres)).toEqual([{ ...first, proof: 'verified' }])
  expect(await upsertBars(postgres, [first])).toEqual({ written: 0 })
  expect(await verifyBars(postgres, [first])).toBe(0)
  const corrected = { ...first, revision: 1, close: '61851.00000000' }
  expect(await upsertBars(postgres, [corrected])).toEqual({ written: 1 })
  expect(await rows(postgres)).toEqual([corrected])
})

test('a row is mended whatever its version says, but only the one that was seen', async () => {
  await using postgres = await migrated()
  const right = minute(0)
  const damaged = { ...right, high: '99999.00000000', lastTradeId: right.lastTradeId + 5_000 }
  await upsertBars(postgres, [damaged])
  expect(await upsertBars(postgres, [{ ...right, revision: 1 }])).toEqual({ written: 0 })
  expect(await mendRow(postgres, { ...damaged, revision: 7 }, { ...right, revision: 8 })).toBe(false)
  expect(await mendRow(postgres, undefined, { ...right, revision: 1 })).toBe(false)
  expect(await mendRow(postgres, damaged, { ...right, revision: 1 })).toBe(true)
  expect(await rows(postgres)).toEqual([{ ...right, revision: 1 }])
  expect(await mendRow(postgres, damaged, { ...right, revision: 1 })).toBe(false)
})

test('a row that is not there is put in, in a month of its own too', async () => {
  await using postgres = await migrated()
  const openTime = Date.UTC(2020, 1, 29)
  const lost = bar({ openTime, closeTime: openTime + MINUTE - 1 })
  expect(await seriesSpan(postgres, 'BTCUSDT', '1m')).toBeUndefined()
  expect(await mendRow(postgres, undefined, lost)).toBe(true)
  await upsertBars(postgres, [minute(0), minute(3), minute(9, { symbol: 'ETHUSDT' })])
  expect((await rows(postgres))[0]).toEqual(lost)
  expect(await seriesSpan(postgres, 'BTCUSDT', '1m')).toEqual({ oldest: openTime, newest: AUGUST + 3 * MINUTE })
})
