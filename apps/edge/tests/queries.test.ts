import { type BarClient, barOfMessage, type ListBarsRequest, openBarClient, timestampOfTime } from '@chart/grpc'
import { type BarText, intervalsOf } from '@chart/market'
import { upsertBars } from '@chart/postgres'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { PATIENT } from '@chart/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { barText } from './bar-text.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { MINUTE_START, TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge, type TestEdge } from './test-edge.ts'

const INTERVALS = intervalsOf(['1s', '1m'])
const MINUTE = 60_000
/** Minutes that are stored: STORED of them before the live one. */
const STORED = 25
const FIRST = MINUTE_START - STORED * MINUTE

let servers: Servers
let redis: RedisConnection
let edge: TestEdge
let client: BarClient
let market: TestAggregator

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
  edge = await startEdge({ redisUrl: servers.redis.url, databaseUrl: servers.postgres.url, intervals: INTERVALS })
  client = openBarClient(`127.0.0.1:${edge.port}`)
  market = await TestAggregator.open(redis, 'AAAUSDT', INTERVALS)
  await market.register('AAAUSDT')
  await market.commit({ AAAUSDT: tradesOf(1, 20) })
})

afterAll(async () => {
  client[Symbol.dispose]()
  await edge[Symbol.asyncDispose]()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await edge.postgres.query({ text: 'DELETE FROM bars' })
  await upsertBars(edge.postgres, minutes(FIRST, STORED))
})

function minutes(from: number, count: number): BarText[] {
  return Array.from({ length: count }, (_, index) => {
    const openTime = from + index * MINUTE
    return barText({ symbol: 'AAAUSDT', openTime, closeTime: openTime + MINUTE - 1 })
  })
}

type Wanted = Partial<Omit<ListBarsRequest, 'startTime' | 'endTime'>> & { from?: number; to?: number }

function requestOf({ from, to, ...rest }: Wanted): Partial<ListBarsRequest> {
  return {
    symbol: 'AAAUSDT',
    interval: '1m',
    ...rest,
    ...(from !== undefined && { startTime: timestampOfTime(from) }),
    ...(to !== undefined && { endTime: timestampOfTime(to) }),
  }
}

/** Opening minutes of every page, counted from FIRST. */
async function pagesOf(wanted: Wanted, between: (page: number) => Promise<void> = async () => {}): Promise<number[][]> {
  const pages: number[][] = []
  let pageToken = ''
  do {
    const page = await client.listBars(requestOf({ ...wanted, pageToken }))
    pages.push(page.bars.map(bar => (barOfMessage(bar).openTime - FIRST) / MINUTE))
    pageToken = page.nextPageToken
    await between(pages.length)
  } while (pageToken !== '')
  return pages
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

describe('ListBars', () => {
  test('gives stored bars as they were stored, and the live one as it is', async () => {
    const { bars } = await client.listBars(requestOf({ from: MINUTE_START - MINUTE, includeLive: true }))
    expect(bars.map(barOfMessage)).toEqual([...minutes(MINUTE_START - MINUTE, 1), market.live('AAAUSDT', '1m')])
  })

  test.each([1, 4, 5, 24, 25, 26, 100])(
    'in pages of %i has every bar once, both ways, with and without the live one',
    async pageSize => {
      for (const includeLive of [false, true]) {
        const all = upTo(STORED + (includeLive ? 1 : 0))
        const oldest = await pagesOf({ pageSize, includeLive })
        expect(oldest.flat()).toEqual(all)
        const newest = await pagesOf({ pageSize, includeLive, order: 'BAR_ORDER_NEWEST_FIRST' })
        expect(newest.flat()).toEqual(all.toReversed())
        for (const pages of [oldest, newest]) {
          expect(pages.slice(0, -1).every(page => page.length === pageSize)).toBe(true)
          expect(pages.at(-1)!.length).toBeGreaterThan(0)
        }
      }
    },
  )

  test.each([
    ['nothing', {}, upTo(STORED)],
    ['an inclusive start', { from: FIRST + 20 * MINUTE }, upTo(5, 20)],
    ['an exclusive end', { to: FIRST + 2 * MINUTE }, [0, 1]],
    ['a start just after a bar', { from: FIRST + 20 * MINUTE + 1 }, upTo(4, 21)],
    ['an end just after a bar', { to: FIRST + 2 * MINUTE + 1 }, [0, 1, 2]],
    ['an empty range', { from: FIRST + MINUTE, to: FIRST + MINUTE }, []],
    ['a range before everything', { to: FIRST }, []],
    ['a range that the live bar is beyond', { from: FIRST + 24 * MINUTE, to: MINUTE_START, includeLive: true }, [24]],
    [
      'a range that the live bar is in',
      { from: FIRST + 24 * MINUTE, to: MINUTE_START + 1, includeLive: true },
      [24, 25],
    ],
    ['a range after the live bar', { from: MINUTE_START + MINUTE, includeLive: true }, []],
  ] satisfies [string, Wanted, number[]][])('bounded by %s', async (_, wanted, expected) => {
    expect((await pagesOf(wanted)).flat()).toEqual(expected)
    const newest = await pagesOf({ ...wanted, order: 'BAR_ORDER_NEWEST_FIRST' })
    expect(newest.flat()).toEqual(expected.toReversed())
  })

  test('a bound between two milliseconds is one: a bar that opens before it is before it', async () => {
    const between = { ...timestampOfTime(FIRST + 2 * MINUTE), nanos: 500 }
    const before = await client.listBars({ ...requestOf({}), endTime: between })
    expect(before.bars).toHaveLength(3)
    const after = await client.listBars({ ...requestOf({}), startTime: between })
    expect(after.bars).toHaveLength(STORED - 3)
  })

  test('bars that are stored while pages are read are in no page twice, and push none out', async () => {
    const store = async (page: number) => {
      await upsertBars(edge.postgres, [
        ...minutes(MINUTE_START + (page - 1) * MINUTE, 1),
        ...minutes(FIRST - page * MINUTE, 1),
      ])
    }
    const oldest = (await pagesOf({ pageSize: 7 }, page => (page < 4 ? store(page) : Promise.resolve()))).flat()
    expect(oldest).toEqual(upTo(oldest.length))
    expect(oldest.length).toBeGreaterThanOrEqual(STORED)
    await edge.postgres.query({ text: 'DELETE FROM bars' })
    await upsertBars(edge.postgres, minutes(FIRST, STORED))
    const newest = (
      await pagesOf({ pageSize: 7, order: 'BAR_ORDER_NEWEST_FIRST' }, page =>
        page < 4 ? store(page) : Promise.resolve(),
      )
    ).flat()
    expect(newest).toEqual(upTo(newest.length).map(index => STORED - 1 - index))
    expect(newest.length).toBeGreaterThanOrEqual(STORED)
  })

  test('a page has 100 bars when nothing else is said', async () => {
    await upsertBars(edge.postgres, minutes(FIRST - 200 * MINUTE, 200))
    expect((await client.listBars(requestOf({}))).bars).toHaveLength(100)
    expect((await client.listBars(requestOf({ pageSize: 1_000 }))).bars).toHaveLength(225)
  })
})

describe('a bad request is refused with its field', () => {
  const bars = (wanted: object) => () => client.listBars({ ...requestOf({}), ...wanted })
  const stream = (wanted: object) => async () => {
    const request = { symbols: ['AAAUSDT'], intervals: ['1m'], ...wanted }
    for await (const _ of client.streamBars(request, new AbortController().signal)) return
  }
  const live = (symbol: string, interval: string) => () => client.getLiveBar({ symbol, interval })
  const INVALID = 3
  const NOT_FOUND = 5

  test.each<[string, () => Promise<unknown>, number, string]>([
    ['ListBars without symbol', bars({ symbol: '' }), INVALID, 'symbol is missing'],
    ['ListBars of lower case', bars({ symbol: 'aaausdt' }), INVALID, 'symbols are upper case: AAAUSDT'],
    ['ListBars of an unknown symbol', bars({ symbol: 'ZZZ' }), NOT_FOUND, 'symbol ZZZ is not served'],
    ['ListBars without interval', bars({ interval: '' }), INVALID, 'interval is missing; give one of 1s, 1m'],
    ['ListBars of an unknown interval', bars({ interval: '7m' }), INVALID, 'interval is unknown; give one of 1s, 1m'],
    [
      'ListBars backwards',
      bars({ startTime: { seconds: 2 }, endTime: { seconds: 1 } }),
      INVALID,
      'end_time is before start_time',
    ],
    ['ListBars of −1', bars({ pageSize: -1 }), INVALID, 'page_size is -1; give 1 to 1000'],
    ['ListBars of 1001', bars({ pageSize: 1_001 }), INVALID, 'page_size is 1001'],
    ['ListBars with a made-up token', bars({ pageToken: 'abc' }), INVALID, 'page_token'],
    ['ListBars with a long token', bars({ pageToken: 'A'.repeat(10_000) }), INVALID, 'page_token'],
    [
      'ListBars with code in the token',
      bars({ pageToken: Buffer.from("v1:1'; --").toString('base64url') }),
      INVALID,
      'page_token',
    ],
    ['ListBars in an unknown order', bars({ order: 9 }), INVALID, 'order is unknown'],
    ['GetLiveBar without symbol', live('', '1m'), INVALID, 'symbol is missing'],
    ['GetLiveBar of an unknown interval', live('AAAUSDT', '2s'), INVALID, 'interval is unknown'],
    ['GetLiveBar of an unknown symbol', live('ZZZ', '1m'), NOT_FOUND, 'symbol ZZZ is not served'],
    ['StreamBars of nothing', stream({ symbols: [] }), INVALID, 'symbols is empty'],
    ['StreamBars of no interval', stream({ intervals: [] }), INVALID, 'intervals is empty'],
    ['StreamBars of a bad one', stream({ symbols: ['AAAUSDT', 'a b'] }), INVALID, 'symbols[1] is not a symbol'],
    [
      'StreamBars of an unknown one',
      stream({ symbols: ['AAAUSDT', 'ZZZ'] }),
      NOT_FOUND,
      'symbols[1] ZZZ is not served',
    ],
    ['StreamBars of an unknown interval', stream({ intervals: ['1m', '9h'] }), INVALID, 'intervals[1] is unknown'],
    ['StreamBars in an unknown mode', stream({ mode: 77 }), INVALID, 'mode is unknown'],
    [
      'StreamBars of too much',
      stream({ symbols: Array.from({ length: 30_000 }, (_, index) => `S${index}USDT`) }),
      8,
      '',
    ],
  ])('%s', async (_, call, code, details) => {
    await expect(call()).rejects.toMatchObject({ code, details: expect.stringContaining(details) })
  })

  test('StreamBars of more symbols than allowed', async () => {
    const infos = Array.from({ length: 201 }, (_, index) => `N${index}USDT`)
    await redis.hset('symbols', Object.fromEntries(infos.map(symbol => [symbol, '{p00}'])))
    await client.listSymbols()
    const call = stream({ symbols: infos })
    await expect(call()).rejects.toMatchObject({
      code: INVALID,
      details: expect.stringContaining('symbols has too many items; give at most 200'),
    })
    await redis.hdel('symbols', ...infos)
    await client.listSymbols()
  })

  test('thousands of unknown symbols ask Redis once a second at most', async () => {
    const callsOf = async () => Number(/cmdstat_hgetall:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
    const before = await callsOf()
    const start = Date.now()
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          expect(live(`Z${round}X${index}`, '1m')()).rejects.toMatchObject({ code: NOT_FOUND }),
        ),
      )
    }
    const secondsMax = Math.ceil((Date.now() - start) / 1_000) + 1
    expect((await callsOf()) - before).toBeLessThanOrEqual(secondsMax)
  })
})

test('GetLiveBar reads the live bar as it is now', async () => {
  for (const interval of ['1s', '1m']) {
    const { bar } = await client.getLiveBar({ symbol: 'AAAUSDT', interval })
    expect(barOfMessage(bar)).toEqual(market.live('AAAUSDT', interval))
  }
  await market.commit({ AAAUSDT: [tradeOf(21)] })
  const { bar } = await client.getLiveBar({ symbol: 'AAAUSDT', interval: '1m' })
  expect(barOfMessage(bar)).toMatchObject({ lastTradeId: 21, tradeCount: 21 })
})

test('GetLiveBar of a symbol without a trade yet says so', async () => {
  const quiet = await TestAggregator.open(redis, 'QUIETUSDT', INTERVALS)
  await quiet.register('QUIETUSDT')
  await client.listSymbols()
  const call = client.getLiveBar({ symbol: 'QUIETUSDT', interval: '1m' })
  await expect(call).rejects.toMatchObject({ code: 5, details: 'symbol QUIETUSDT had no trade yet' })
})

test('ListSymbols tells what is served and how each feed is', async () => {
  const { symbols } = await client.listSymbols()
  expect(symbols.map(info => info.symbol)).toEqual(symbols.map(info => info.symbol).toSorted())
  const last = market.lastTradeId('AAAUSDT')
  expect(symbols.find(info => info.symbol === 'AAAUSDT')).toEqual({
    symbol: 'AAAUSDT',
    status: 'TRADING',
    intervals: ['1s', '1m'],
    priceScale: 8,
    quantityScale: 8,
    quoteScale: 8,
    tickSize: '0.01000000',
    stepSize: '0.00001000',
    simulated: true,
    feed: {
      symbol: 'AAAUSDT',
      state: 'FEED_STATE_LIVE',
      lastTradeId: last,
      lastTradeTime: timestampOfTime(tradeOf(last).tradeTime),
      watermark: null,
      age: expect.objectContaining({ seconds: expect.any(Number) }),
    },
  })
})

describe('ListBars of bars that PostgreSQL has not got yet', () => {
  const SYMBOL = 'WAITUSDT'
  let waiting: TestAggregator
  const key = `${SYMBOL} 1m`

  beforeAll(async () => {
    waiting = await TestAggregator.open(redis, SYMBOL, INTERVALS)
    await redis.del(`log:${waiting.tag}`, `heads:${waiting.tag}`, `position:${waiting.tag}`, `pending:${waiting.tag}`)
    await waiting.register(SYMBOL)
    // Ten minutes, of which PostgreSQL has the first four; one of these is corrected since.
    await waiting.commit({ [SYMBOL]: tradesOf(1, 15, 20_000) })
    await upsertBars(edge.postgres, waiting.closed.get(key)!.slice(0, 4))
    const late = { ...tradeOf(16, 20_000), tradeTime: tradeOf(16, 20_000).tradeTime - 2 * MINUTE }
    await waiting.commit({ [SYMBOL]: [late] })
    await waiting.commit({ [SYMBOL]: tradesOf(17, 30, 20_000) })
    await client.listSymbols()
  })

  // The outer beforeEach empties the table.
  beforeEach(async () => {
    await upsertBars(edge.postgres, waiting.closed.get(key)!.slice(0, 4))
  })

  /** The newest version of each bar, and the live one. */
  function everyBar(): BarText[] {
    const newest = new Map(waiting.closed.get(key)!.map(bar => [bar.openTime, bar]))
    return [...newest.values(), waiting.live(SYMBOL, '1m')].sort((a, b) => a.openTime - b.openTime)
  }

  async function listed(wanted: Wanted): Promise<BarText[]> {
    const bars: BarText[] = []
    let pageToken = ''
    do {
      const page = await client.listBars(requestOf({ symbol: SYMBOL, ...wanted, pageToken }))
      bars.push(...page.bars.map(barOfMessage))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    return bars
  }

  test.each([1, 3, 4, 5, 9, 100])('in pages of %i has every one once, corrected, both ways', async pageSize => {
    const all = everyBar()
    expect(all.some(bar => bar.revision === 1)).toBe(true)
    for (const includeLive of [true, false]) {
      const expected = includeLive ? all : all.slice(0, -1)
      expect(await listed({ pageSize, includeLive })).toEqual(expected)
      const newest = await listed({ pageSize, includeLive, order: 'BAR_ORDER_NEWEST_FIRST' })
      expect(newest).toEqual(expected.toReversed())
    }
  })

  test('keeps to the range', async () => {
    const all = everyBar()
    const range = { from: all[2]!.openTime, to: all[7]!.openTime, includeLive: true }
    expect(await listed({ ...range, pageSize: 2 })).toEqual(all.slice(2, 7))
    expect(await listed({ from: all[6]!.openTime })).toEqual(all.slice(6, -1))
  })

  test('with nothing in PostgreSQL at all', async () => {
    await edge.postgres.query({ text: 'DELETE FROM bars' })
    expect(await listed({ pageSize: 3, includeLive: true })).toEqual(everyBar())
    expect(await listed({ pageSize: 3, order: 'BAR_ORDER_NEWEST_FIRST' })).toEqual(everyBar().slice(0, -1).toReversed())
  })

  test('has the newest seconds, which are stored nowhere', async () => {
    const seconds = await listed({ interval: '1s' })
    expect(seconds).toEqual(waiting.closed.get(`${SYMBOL} 1s`)!.slice(-seconds.length))
    expect(seconds.length).toBeGreaterThanOrEqual(10)
  })
})
