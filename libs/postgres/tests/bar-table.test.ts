import type { BarText } from '@chart/market'
import { type PostgresServer, startPostgres } from '@chart/servers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type BarRange,
  countBars,
  isPostgresDataError,
  listBars,
  migrate,
  newestBars,
  openPostgres,
  type Postgres,
  upsertBars,
} from '../src/index.ts'
import { AUGUST, bar, freshDatabase, MINUTE, openTest } from './fresh-database.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ fsync: false })
})
afterAll(() => server.close())

async function migrated(): Promise<{ url: string; postgres: Postgres }> {
  const url = await freshDatabase(server.url)
  const postgres = await openTest(url)
  await migrate(postgres)
  return { url, postgres }
}

const everyMinute: BarRange = { symbol: 'BTCUSDT', interval: '1m', order: 'oldest', limit: 1_000 }

describe('a bar and its row', () => {
  test('come back to the letter: trailing zeros, twenty digits, eight decimals of a satoshi, no trades', async () => {
    await using postgres = (await migrated()).postgres
    const bars: BarText[] = [
      bar(),
      bar({
        openTime: AUGUST + MINUTE,
        closeTime: AUGUST + 2 * MINUTE - 1,
        baseVolume: '98765432109876543210.12345678',
        quoteVolume: '12345678901234567890123456789.00000000',
        takerBuyBaseVolume: '0.00000000',
        takerBuyQuoteVolume: '0.00000000',
        lastTradeId: Number.MAX_SAFE_INTEGER,
        revision: 3,
        complete: false,
      }),
      bar({
        openTime: AUGUST + 2 * MINUTE,
        closeTime: AUGUST + 3 * MINUTE - 1,
        open: '0.00000001',
        high: '0.00000001',
        low: '0.00000001',
        close: '0.00000001',
        baseVolume: '0.00000000',
        quoteVolume: '0.00000000',
        takerBuyBaseVolume: '0.00000000',
        takerBuyQuoteVolume: '0.00000000',
        tradeCount: 0,
        firstTradeId: -1,
        lastTradeId: -1,
      }),
    ]
    expect(await upsertBars(postgres, bars)).toEqual({ written: 3 })
    const stored = await listBars(postgres, everyMinute)
    expect(JSON.stringify(stored)).toBe(JSON.stringify(bars))
  })

  test('keep hours and days apart from minutes of the same time', async () => {
    await using postgres = (await migrated()).postgres
    const day = Date.UTC(2024, 7, 8)
    const bars = ['1m', '1h', '1d'].map(interval =>
      bar({
        interval,
        openTime: day,
        closeTime: day + { '1m': MINUTE, '1h': 60 * MINUTE, '1d': 1440 * MINUTE }[interval]! - 1,
      }),
    )
    await upsertBars(postgres, bars)
    for (const one of bars) {
      expect(await listBars(postgres, { ...everyMinute, interval: one.interval })).toEqual([one])
    }
  })
})

describe('of one bar the newest version wins', () => {
  const older = bar({ close: '61850.00000000' })
  const newer = bar({ close: '61851.00000000', lastTradeId: older.lastTradeId + 1, revision: 1 })

  test('whichever comes first, and a repeat writes nothing', async () => {
    await using postgres = (await migrated()).postgres
    expect(await upsertBars(postgres, [newer])).toEqual({ written: 1 })
    expect(await upsertBars(postgres, [older])).toEqual({ written: 0 })
    expect(await upsertBars(postgres, [newer])).toEqual({ written: 0 })
    expect(await listBars(postgres, everyMinute)).toEqual([newer])
  })

  test('inside one batch', async () => {
    await using postgres = (await migrated()).postgres
    expect(await upsertBars(postgres, [older, newer, older])).toEqual({ written: 1 })
    expect(await listBars(postgres, everyMinute)).toEqual([newer])
  })

  test('by the last trade before the revision, by the revision when the trades are the same', async () => {
    await using postgres = (await migrated()).postgres
    const laterTrade = bar({ lastTradeId: older.lastTradeId + 5, close: '61855.00000000' })
    const laterRevision = bar({ lastTradeId: older.lastTradeId + 5, close: '61856.00000000', revision: 1 })
    await upsertBars(postgres, [laterTrade])
    await upsertBars(postgres, [bar({ revision: 9 })])
    expect(await listBars(postgres, everyMinute)).toEqual([laterTrade])
    await upsertBars(postgres, [laterRevision])
    expect(await listBars(postgres, everyMinute)).toEqual([laterRevision])
  })

  test('also when a correction takes back that the bar was complete, as a flat bar after late trades is restated', async () => {
    await using postgres = (await migrated()).postgres
    const flat = bar({ firstTradeId: -1, lastTradeId: -1, tradeCount: 0 })
    const restated = { ...flat, open: flat.high, close: flat.high, low: flat.high, complete: false, revision: 1 }
    await upsertBars(postgres, [flat])
    expect(await upsertBars(postgres, [flat, restated])).toEqual({ written: 1 })
    expect(await listBars(postgres, everyMinute)).toEqual([restated])
  })

  test('but a complete one never gives way to one with fewer trades and the same last trade', async () => {
    await using postgres = (await migrated()).postgres
    const incomplete = bar({ complete: false, tradeCount: 50, revision: 4 })
    await upsertBars(postgres, [older])
    expect(await upsertBars(postgres, [incomplete])).toEqual({ written: 0 })
    expect(await listBars(postgres, everyMinute)).toEqual([older])
  })

  test('and any bar made of trades before an imported one, which replaces nothing', async () => {
    await using postgres = (await migrated()).postgres
    const imported = bar({ proof: 'imported', complete: false, firstTradeId: -1, lastTradeId: -1 })
    const flat = bar({ complete: false, firstTradeId: -1, lastTradeId: -1, tradeCount: 0 })
    for (const made of [older, bar({ complete: false }), flat]) {
      await postgres.query({ text: 'TRUNCATE bars' })
      expect(await upsertBars(postgres, [imported])).toEqual({ written: 1 })
      expect(await listBars(postgres, everyMinute)).toEqual([imported])
      expect(await upsertBars(postgres, [imported, made])).toEqual({ written: 1 })
      expect(await upsertBars(postgres, [imported])).toEqual({ written: 0 })
      expect(await listBars(postgres, everyMinute)).toEqual([made])
    }
  })

  test('so every order of arrival ends with the same row', async () => {
    await using postgres = (await migrated()).postgres
    const versions = [
      older,
      newer,
      bar({ complete: false, revision: 7 }),
      bar({ tradeCount: 1, revision: 9 }),
      bar({ lastTradeId: 1, firstTradeId: 1 }),
    ]
    const orders = permutations(versions)
    const bars = orders.flatMap((order, index) => order.map(one => ({ ...one, symbol: `SYM${index}` })))
    for (let start = 0; start < bars.length; start++) await upsertBars(postgres, [bars[start]!])
    for (const index of orders.keys()) {
      const symbol = `SYM${index}`
      expect(await listBars(postgres, { ...everyMinute, symbol })).toEqual([{ ...newer, symbol }])
    }
  })

  test('when two writers race with the same bars in opposite orders', async () => {
    const { url, postgres: first } = await migrated()
    await using one = first
    await using two = await openTest(url)
    const count = 200
    const versions = (revision: number) =>
      Array.from({ length: count }, (_, index) =>
        bar({ openTime: AUGUST + index * MINUTE, closeTime: AUGUST + (index + 1) * MINUTE - 1, revision }),
      )
    const rounds = Array.from({ length: 20 }, (_, revision) =>
      Promise.all([upsertBars(one, versions(revision)), upsertBars(two, versions(19 - revision).reverse())]),
    )
    await Promise.all(rounds)
    const rows = await listBars(one, everyMinute)
    expect(rows).toEqual(versions(19))
    expect(await countBars(two)).toBe(count)
  })
})

describe('months', () => {
  test('get their partition when their first bar comes, also from many writers at once', async () => {
    const { url, postgres: first } = await migrated()
    await using one = first
    const others = await Promise.all(Array.from({ length: 4 }, () => openTest(url)))
    const year = Array.from({ length: 12 }, (_, month) => Date.UTC(2023, month, 1))
    const bars = year.flatMap(start =>
      [start - MINUTE, start].map(openTime => bar({ openTime, closeTime: openTime + MINUTE - 1 })),
    )
    const results = await Promise.all([one, ...others].map(postgres => upsertBars(postgres, bars)))
    expect(results.reduce((sum, { written }) => sum + written, 0)).toBe(24)
    expect((await listBars(one, everyMinute)).map(row => row.openTime)).toEqual(bars.map(row => row.openTime))
    const { rows } = await one.query<{ name: string; count: number }>({
      text: `SELECT tableoid::regclass::text AS name, count(*) AS count FROM bars GROUP BY 1 ORDER BY 1`,
    })
    expect(rows).toHaveLength(13)
    expect(rows[0]).toEqual({ name: 'bars_2022_12', count: 1 })
    expect(rows[1]).toEqual({ name: 'bars_2023_01', count: 2 })
    await Promise.all(others.map(postgres => postgres[Symbol.asyncDispose]()))
  })

  test('begin in UTC whatever the zone of the session', async () => {
    const { url } = await migrated()
    const zoned = new URL(url)
    zoned.searchParams.set('options', '-c TimeZone=Pacific/Auckland')
    await using postgres = await openTest(zoned.href)
    const start = Date.UTC(2024, 2, 1)
    const bars = [start - MINUTE, start].map(openTime => bar({ openTime, closeTime: openTime + MINUTE - 1 }))
    await upsertBars(postgres, bars)
    expect(await listBars(postgres, everyMinute)).toEqual(bars)
    const { rows } = await postgres.query<{ name: string }>({
      text: 'SELECT tableoid::regclass::text AS name FROM bars ORDER BY open_time',
    })
    expect(rows.map(row => row.name)).toEqual(['bars_2024_02', 'bars_2024_03'])
  })

  test('come back when somebody dropped one', async () => {
    await using postgres = (await migrated()).postgres
    await upsertBars(postgres, [bar()])
    await postgres.query({ text: 'DROP TABLE bars_2024_08' })
    expect(await upsertBars(postgres, [bar()])).toEqual({ written: 1 })
  })

  test('are made for a role that may write bars and create nothing', async () => {
    const { url, postgres: owner } = await migrated()
    await using admin = owner
    const role = `writer_${process.pid}`
    await admin.query({ text: `CREATE ROLE ${role} LOGIN` })
    await admin.query({ text: `REVOKE CREATE ON SCHEMA public FROM PUBLIC` })
    await admin.query({ text: `GRANT SELECT, INSERT, UPDATE ON bars TO ${role}` })
    const asWriter = new URL(url)
    asWriter.username = role
    await using writer = await openTest(asWriter.href)
    await expect(writer.query({ text: 'CREATE TABLE mine (a int)' })).rejects.toThrow(/permission denied/)
    expect(await upsertBars(writer, [bar({ openTime: Date.UTC(2020, 1, 29) })])).toEqual({ written: 1 })
  })

  test('are not made for a time that no bar can have', async () => {
    await using postgres = (await migrated()).postgres
    for (const openTime of [0, Date.UTC(2150, 0, 1), 8e15, -8e15]) {
      const error = await upsertBars(postgres, [bar({ openTime })]).catch(error => error)
      expect(isPostgresDataError(error), String(error)).toBe(true)
    }
  })
})

describe('a bar that cannot be', () => {
  test.each<[string, Partial<BarText>]>([
    ['high below low', { high: '1.00000000' }],
    ['not a number', { open: 'NaN' }],
    ['infinite volume', { baseVolume: 'Infinity' }],
    ['no number at all', { close: 'abc' }],
    ['more bought than traded', { takerBuyBaseVolume: '99.00000000' }],
    ['still live', { state: 'live' }],
    ['ids the wrong way round', { lastTradeId: 1 }],
    ['a zero byte in its symbol', { symbol: 'BTC\u0000USDT' }],
  ])('is refused as a data error: %s', async (_, over) => {
    await using postgres = await sharedDatabase()
    const error = await upsertBars(postgres, [bar(over)]).catch(error => error)
    expect(isPostgresDataError(error), String(error)).toBe(true)
    expect(await countBars(postgres)).toBe(0)
  })

  let sharedUrl: string | undefined
  async function sharedDatabase(): Promise<Postgres> {
    if (sharedUrl === undefined) {
      const { url, postgres } = await migrated()
      await postgres[Symbol.asyncDispose]()
      sharedUrl = url
    }
    return openTest(sharedUrl)
  }
})

describe('history', () => {
  test('is read in pages without a hole or a repeat, in both orders, over the ends of months', async () => {
    await using postgres = (await migrated()).postgres
    const start = Date.UTC(2024, 6, 31, 22)
    const times = Array.from({ length: 1_250 }, (_, index) => start + index * MINUTE)
    await upsertBars(
      postgres,
      times.map(openTime => bar({ openTime, closeTime: openTime + MINUTE - 1 })),
    )
    for (const order of ['oldest', 'newest'] as const) {
      const read: number[] = []
      let after: number | undefined
      for (;;) {
        const page = await listBars(postgres, {
          ...everyMinute,
          order,
          limit: 100,
          ...(after === undefined ? {} : { after }),
        })
        if (page.length === 0) break
        read.push(...page.map(row => row.openTime))
        after = page.at(-1)!.openTime
      }
      expect(read).toEqual(order === 'oldest' ? times : times.toReversed())
    }
  })

  test('begins at `from` and ends before `to`, and any number is a moment', async () => {
    await using postgres = (await migrated()).postgres
    const bars = [0, 1, 2, 3].map(index =>
      bar({ openTime: AUGUST + index * MINUTE, closeTime: AUGUST + (index + 1) * MINUTE - 1 }),
    )
    await upsertBars(postgres, bars)
    const list = (from: number, to: number) => listBars(postgres, { ...everyMinute, from, to })
    expect(await list(AUGUST + MINUTE, AUGUST + 3 * MINUTE)).toEqual(bars.slice(1, 3))
    expect(await list(AUGUST + 1, AUGUST + MINUTE + 1)).toEqual(bars.slice(1, 2))
    expect(await list(-Infinity, Infinity)).toEqual(bars)
    expect(await list(-9e15, 9e15)).toEqual(bars)
    expect(await list(AUGUST, AUGUST)).toEqual([])
    expect(await listBars(postgres, { ...everyMinute, symbol: 'ETHUSDT' })).toEqual([])
    await expect(listBars(postgres, { ...everyMinute, limit: 0 })).rejects.toThrow(/limit must be/)
  })

  test('tells the newest bar of each symbol', async () => {
    await using postgres = (await migrated()).postgres
    expect(await newestBars(postgres, '1m')).toEqual([])
    const later = Date.UTC(2024, 8, 1)
    await upsertBars(postgres, [
      bar(),
      bar({ symbol: 'ETHUSDT' }),
      bar({ symbol: 'ETHUSDT', openTime: later, closeTime: later + MINUTE - 1 }),
      bar({ symbol: 'PEPEUSDT', interval: '1h', openTime: later }),
    ])
    expect(await newestBars(postgres, '1m')).toEqual([
      { symbol: 'BTCUSDT', openTime: AUGUST },
      { symbol: 'ETHUSDT', openTime: later },
    ])
    expect(await countBars(postgres)).toBe(4)
  })
})

test('a pool that is told its settings uses them', async () => {
  const url = await freshDatabase(server.url)
  await using postgres = await openPostgres({ url, applicationName: 'persister', statementTimeoutMs: 200, poolMax: 1 })
  const { rows } = await postgres.query<{ application_name: string }>({
    text: 'SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()',
  })
  expect(rows[0]!.application_name).toBe('persister')
  await expect(postgres.query({ text: 'SELECT pg_sleep(5)' })).rejects.toThrow(/statement timeout/)
})

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map(rest => [item, ...rest]),
  )
}
