import { type BarClient, openBarClient, type SeriesPositionMessage, timestampOfTime } from '@chart/grpc'
import { type BarText, intervalsOf } from '@chart/market'
import { upsertBars } from '@chart/postgres'
import { ackPending, barOfPendingValue, closeRedis, openRedis, type RedisConnection, scanPending } from '@chart/redis'
import { PATIENT } from '@chart/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClientEvent, Subscription } from './followed-series.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { openSlowLink } from './slow-link.ts'
import { MINUTE_START, TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge, type TestEdge } from './test-edge.ts'

const INTERVALS = intervalsOf(['1s', '1m', '5m'])
const MINUTE = 60_000
/** Three trades a minute. */
const EVERY_MS = 20_000

let servers: Servers
let redis: RedisConnection
let edge: TestEdge
let client: BarClient

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
  edge = await openEdge()
  client = openBarClient(`127.0.0.1:${edge.port}`)
})

afterAll(async () => {
  client[Symbol.dispose]()
  await edge[Symbol.asyncDispose]()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

function openEdge(options: Partial<Parameters<typeof startEdge>[0]> = {}): Promise<TestEdge> {
  const urls = { redisUrl: servers.redis.url, databaseUrl: servers.postgres.url }
  return startEdge({ ...urls, intervals: INTERVALS, ...options })
}

let markets = 0

/** A symbol of its own for each test, with trades 1 to `lastTradeId`, three a minute. */
async function newMarket(lastTradeId: number, intervals = INTERVALS) {
  const symbol = `R${String(markets++).padStart(3, '0')}USDT`
  const market = await TestAggregator.open(redis, symbol, intervals)
  const { tag } = market
  await redis.del(`log:${tag}`, `heads:${tag}`, `position:${tag}`, `pending:${tag}`)
  await market.register(symbol)
  await client.listSymbols()
  await market.commit({ [symbol]: tradesOf(1, lastTradeId, EVERY_MS) })
  return { symbol, market, key: `${symbol} 1m` }
}

/** What the persister does with the bars that open before `before`. */
async function persist(market: TestAggregator, before: number): Promise<void> {
  for await (const entries of scanPending(redis, market.tag, 100)) {
    const bars = entries.filter(([field]) => Number(field.split('|')[2]) < before)
    await upsertBars(
      edge.postgres,
      bars.map(([, value]) => barOfPendingValue(value)),
    )
    await ackPending(redis, market.tag, bars)
  }
}

const closedOf = (events: readonly ClientEvent[]) =>
  events.filter(({ type }) => type === 'closed').map(({ bar }) => bar)
const typesOf = (events: readonly ClientEvent[]) => events.map(({ type }) => type)
const minuteOf = (bar: BarText) => (bar.openTime - MINUTE_START) / MINUTE

/** A trade that comes `minutes` too late. */
function lateTrade(tradeId: number, minutes: number) {
  return { ...tradeOf(tradeId, EVERY_MS), tradeTime: tradeOf(tradeId, EVERY_MS).tradeTime - minutes * MINUTE }
}

function positionOf(bar: BarText, corrected: SeriesPositionMessage['corrected'] = []): SeriesPositionMessage {
  const { symbol, interval, openTime, state, revision, lastTradeId } = bar
  const newest = { openTime: timestampOfTime(openTime), revision, lastTradeId }
  const stateName = state === 'closed' ? 'BAR_STATE_CLOSED' : 'BAR_STATE_LIVE'
  return { symbol, interval, newest: { ...newest, state: stateName }, corrected }
}

describe('from a moment', () => {
  test('come the stored bars, those that wait for PostgreSQL and those just closed, each once, then the live bar', async () => {
    const { symbol, market, key } = await newMarket(100)
    await persist(market, MINUTE_START + 15 * MINUTE)
    const request = { symbols: [symbol], intervals: ['1m', '5m'] }
    const startTime = timestampOfTime(MINUTE_START + 2 * MINUTE)
    await using subscription = new Subscription(client, { ...request, startTime })
    await subscription.untilTrade(key, 100)
    const events = subscription.of(key)
    expect(closedOf(events)).toEqual(market.closed.get(key)!.slice(2))
    expect(typesOf(events).slice(-2)).toEqual(['closed', 'snapshot'])
    const longer = subscription.of(`${symbol} 5m`)
    const fives = market.closed.get(`${symbol} 5m`)!.filter(bar => bar.openTime >= MINUTE_START + 2 * MINUTE)
    expect(closedOf(longer)).toEqual(fives)
    await market.commit({ [symbol]: tradesOf(101, 105, EVERY_MS) })
    await subscription.untilTrade(key, 105)
    expect(closedOf(subscription.of(key))).toEqual(market.closed.get(key)!.slice(2))
  })

  test('more than a page of bars, while trades go on', async () => {
    // Without seconds, of which there are twenty for each trade.
    const intervals = intervalsOf(['1m', '5m'])
    const { symbol, market, key } = await newMarket(3, intervals)
    await using minutes = await openEdge({ intervals })
    using minutesClient = openBarClient(`127.0.0.1:${minutes.port}`)
    for (let id = 4; id <= 3_600; id += 300) await market.commit({ [symbol]: tradesOf(id, id + 299, EVERY_MS) })
    await persist(market, MINUTE_START + 600 * MINUTE)
    await using subscription = new Subscription(minutesClient, {
      symbols: [symbol],
      intervals: ['1m'],
      startTime: timestampOfTime(MINUTE_START),
    })
    let last = market.lastTradeId(symbol)
    while (subscription.events.length === 0) {
      await market.commit({ [symbol]: tradesOf(last + 1, last + 4, EVERY_MS) })
      last += 4
    }
    await subscription.untilTrade(key, last)
    expect(closedOf(subscription.of(key))).toEqual(market.closed.get(key))
    const types = typesOf(subscription.of(key)).join(' ')
    expect(types).toMatch(/^(closed )+snapshot( (update|closed))*$/)
  })

  test('a later correction of a bar of the past comes as one', async () => {
    const { symbol, market, key } = await newMarket(30)
    await persist(market, MINUTE_START + 5 * MINUTE)
    const startTime = timestampOfTime(MINUTE_START)
    await using subscription = new Subscription(client, { symbols: [symbol], intervals: ['1m'], startTime })
    await subscription.untilTrade(key, 30)
    await market.commit({ [symbol]: [lateTrade(31, 2)] })
    await subscription.until(() => subscription.of(key).some(({ type }) => type === 'corrected'))
    const told = subscription.of(key).filter(({ type }) => type === 'corrected')
    expect(told.map(({ bar }) => bar)).toEqual(market.closed.get(key)!.filter(bar => bar.revision === 1))
    expect(closedOf(subscription.of(key)).map(minuteOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('seconds, which are stored nowhere, are told as a gap as far as they are not kept', async () => {
    const { symbol, market } = await newMarket(1)
    await market.commit({ [symbol]: tradesOf(2, 40, 1_000) })
    const key = `${symbol} 1s`
    const startTime = timestampOfTime(MINUTE_START)
    await using subscription = new Subscription(client, { symbols: [symbol], intervals: ['1s'], startTime })
    await subscription.untilTrade(key, 40)
    const told = closedOf(subscription.of(key))
    expect(told).toEqual(market.closed.get(key)!.slice(-told.length))
    expect(told.length).toBeGreaterThanOrEqual(10)
    expect(subscription.gaps).toEqual([
      {
        symbol,
        interval: '1s',
        startTime: timestampOfTime(MINUTE_START),
        endTime: timestampOfTime(told[0]!.openTime),
      },
    ])
  })

  test('more bars than allowed are refused, with the field and the bound', async () => {
    const { symbol } = await newMarket(10)
    const call = async (startTime: number) => {
      await using subscription = new Subscription(client, {
        symbols: [symbol],
        intervals: ['1m'],
        startTime: timestampOfTime(startTime),
      })
      await subscription.ended()
      return subscription.error
    }
    expect(await call(MINUTE_START - 10_010 * MINUTE)).toMatchObject({
      code: 3,
      details: expect.stringMatching(/^start_time is 100\d\d bars of 1m ago; give at most 10000/),
    })
  })
})

describe('from a position', () => {
  test.each([
    ['the live bar of the time', false],
    ['a closed bar', true],
  ])('that is %s, every bar since is closed once, and nothing before is told', async (_, isClosed) => {
    const { symbol, market, key } = await newMarket(20)
    const held = isClosed ? market.closed.get(key)!.at(-1)! : market.live(symbol, '1m')
    await market.commit({ [symbol]: tradesOf(21, 90, EVERY_MS) })
    await persist(market, MINUTE_START + 20 * MINUTE)
    await using subscription = new Subscription(client, {
      symbols: [symbol],
      intervals: ['1m'],
      positions: [positionOf(held)],
    })
    await subscription.untilTrade(key, 90)
    const since = market.closed.get(key)!.filter(bar => bar.openTime >= held.openTime + (isClosed ? MINUTE : 0))
    expect(closedOf(subscription.of(key))).toEqual(since)
    expect(new Set(typesOf(subscription.of(key)))).toEqual(new Set(['closed', 'snapshot']))
  })

  test('corrections that were missed come, those that the client has do not, wherever the bar is now', async () => {
    const { symbol, market, key } = await newMarket(60)
    await market.commit({ [symbol]: [lateTrade(61, 2)] })
    const old = market.closed.get(key)!.find(bar => bar.revision === 1)!
    await market.commit({ [symbol]: tradesOf(62, 100, EVERY_MS) })
    const held = market.live(symbol, '1m')
    await market.commit({ [symbol]: [lateTrade(101, 1)] })
    await market.commit({ [symbol]: tradesOf(102, 200, EVERY_MS) })
    const missed = market.closed.get(key)!.findLast(bar => bar.revision === 1)!
    expect(missed.openTime).toBeLessThan(held.openTime)
    await persist(market, MINUTE_START + 60 * MINUTE)
    // An edge of its own, which has told nobody of anything yet: it has to look.
    await using fresh = await openEdge()
    using freshClient = openBarClient(`127.0.0.1:${fresh.port}`)
    const told = async (corrected: readonly BarText[]) => {
      const versions = corrected.map(bar => positionOf(bar).newest!)
      const positions = [positionOf(held, versions)]
      const request = { symbols: [symbol], intervals: ['1m'], positions }
      await using subscription = new Subscription(freshClient, request)
      await subscription.untilTrade(key, 200)
      const since = market.closed.get(key)!.filter(bar => bar.openTime >= held.openTime)
      expect(closedOf(subscription.of(key))).toEqual(since)
      return subscription.of(key).flatMap(({ type, bar }) => (type === 'corrected' ? [bar] : []))
    }
    expect(await told([])).toEqual([old, missed])
    expect(await told([old])).toEqual([missed])
    expect(await told([old, missed])).toEqual([])
  })

  test('a corrected bar among those that the client lacks has its place among them', async () => {
    const { symbol, market, key } = await newMarket(20)
    const held = market.live(symbol, '1m')
    await using watching = new Subscription(client, { symbols: [symbol], intervals: ['1m'] })
    await watching.untilTrade(key, 20)
    await market.commit({ [symbol]: tradesOf(21, 40, EVERY_MS) })
    await market.commit({ [symbol]: [lateTrade(41, 1)] })
    // Far enough that this edge has the corrected bar at hand, and not those before it.
    await market.commit({ [symbol]: tradesOf(42, 120, EVERY_MS) })
    await watching.untilTrade(key, 120)
    const request = { symbols: [symbol], intervals: ['1m'], positions: [positionOf(held)] }
    await using subscription = new Subscription(client, request)
    await subscription.untilTrade(key, 120)
    const since = market.closed.get(key)!.filter(bar => bar.openTime >= held.openTime)
    const newest = new Map(since.map(bar => [bar.openTime, bar]))
    const ordered = [...newest.values()].sort((a, b) => a.openTime - b.openTime)
    expect(ordered.some(bar => bar.revision === 1)).toBe(true)
    expect(closedOf(subscription.of(key))).toEqual(ordered)
  })

  test('an edge that is behind its client tells nothing that the client has', async () => {
    const { symbol, market, key } = await newMarket(20)
    await using held = new Subscription(client, { symbols: [symbol], intervals: ['1m'] })
    await held.untilTrade(key, 20)
    // What only the client has: an edge that it came from heard of this already.
    await market.commit({ [symbol]: tradesOf(21, 25, EVERY_MS) }, false)
    const live = market.live(symbol, '1m')
    const request = { symbols: [symbol], intervals: ['1m'], positions: [positionOf(live)] }
    await using subscription = new Subscription(client, request)
    await market.commit({ [symbol]: tradesOf(26, 40, EVERY_MS) })
    await subscription.untilTrade(key, 40)
    expect(closedOf(subscription.of(key))).toEqual(market.closed.get(key)!.filter(bar => bar.openTime >= live.openTime))
    for (const { bar } of subscription.of(key)) expect(bar.lastTradeId).toBeGreaterThanOrEqual(live.lastTradeId)
  })

  test('a stream of closed bars says at once where it begins, so that the first bar is not lost over a cut', async () => {
    const { symbol, market, key } = await newMarket(20)
    const request = { symbols: [symbol], intervals: ['1m'], mode: 'STREAM_MODE_CLOSED' } as const
    const first = new Subscription(client, request)
    await first.until(() => first.positions.length > 0)
    await first[Symbol.asyncDispose]()
    const closing = market.live(symbol, '1m').openTime
    await market.commit({ [symbol]: tradesOf(21, 40, EVERY_MS) })
    await using second = new Subscription(client, { ...request, positions: first.positions })
    await second.until(() => second.of(key).length >= 6)
    await market.commit({ [symbol]: tradesOf(41, 44, EVERY_MS) })
    const wanted = market.closed.get(key)!.filter(bar => bar.openTime >= closing)
    await second.until(() => second.of(key).length >= wanted.length)
    expect(second.of(key).map(({ bar }) => bar)).toEqual(wanted)
  })
})

test('an edge that is behind a client of closed bars says where the client stands, not itself', async () => {
  const { symbol, market, key } = await newMarket(20)
  await using held = new Subscription(client, { symbols: [symbol], intervals: ['1m'] })
  await held.untilTrade(key, 20)
  await market.commit({ [symbol]: tradesOf(21, 25, EVERY_MS) }, false)
  const own = positionOf(market.live(symbol, '1m'))
  const request = { symbols: [symbol], intervals: ['1m'], mode: 'STREAM_MODE_CLOSED', positions: [own] } as const
  await using subscription = new Subscription(client, request)
  await subscription.until(() => subscription.positions.length > 0)
  expect(subscription.positions).toEqual([own])
})

describe('an edge that ends a stream', () => {
  test('at its age says where the client stands, and another goes on from there', async () => {
    const { symbol, market, key } = await newMarket(50)
    await using old = await openEdge({ limits: { streamAgeMs: 300 } })
    using oldClient = openBarClient(`127.0.0.1:${old.port}`)
    const request = { symbols: [symbol], intervals: ['1s', '1m'] }
    await using first = new Subscription(oldClient, request)
    await first.untilTrade(key, 50)
    await market.commit({ [symbol]: tradesOf(51, 60, EVERY_MS) })
    await first.ended()
    expect(first.error).toMatchObject({ code: 14, details: 'the stream has come to its age; call again' })
    expect(first.positions.map(({ interval }) => interval)).toEqual(['1m', '1s'])
    await market.commit({ [symbol]: tradesOf(61, 80, EVERY_MS) })
    await using second = new Subscription(client, { ...request, positions: first.positions })
    await second.untilTrade(key, 80)
    const told = [...closedOf(first.of(key)), ...closedOf(second.of(key))]
    const start = first.of(key)[0]!.bar.openTime
    expect(told).toEqual(market.closed.get(key)!.filter(bar => bar.openTime >= start))
  })

  test('because it stops says so too', async () => {
    const { symbol, market, key } = await newMarket(50)
    const old = await openEdge()
    using oldClient = openBarClient(`127.0.0.1:${old.port}`)
    await using first = new Subscription(oldClient, { symbols: [symbol], intervals: ['1m'] })
    await first.untilTrade(key, 50)
    await old[Symbol.asyncDispose]()
    await first.ended()
    expect(first.error).toMatchObject({ code: 14, details: 'this edge is stopping; call again' })
    expect(first.positions).toEqual([positionOf(market.live(symbol, '1m'))])
  })
})

test('an update rate leaves out live bars in between, and no closed bar', async () => {
  const { symbol, market, key } = await newMarket(3)
  await using every = new Subscription(client, { symbols: [symbol], intervals: ['1m'] })
  await using seldom = new Subscription(client, { symbols: [symbol], intervals: ['1m'], maxUpdatesPerSecond: 2 })
  await every.untilTrade(key, 3)
  await seldom.untilTrade(key, 3)
  const startTime = performance.now()
  for (let id = 4; id <= 400; id++) await market.commit({ [symbol]: [tradeOf(id, EVERY_MS)] })
  await every.untilTrade(key, 400)
  await seldom.untilTrade(key, 400)
  const seconds = (performance.now() - startTime) / 1_000
  expect(closedOf(seldom.of(key))).toEqual(market.closed.get(key)!.slice(-closedOf(seldom.of(key)).length))
  expect(closedOf(seldom.of(key))).toEqual(closedOf(every.of(key)))
  const updates = seldom.of(key).filter(({ type }) => type === 'update')
  expect(updates.length).toBeLessThanOrEqual(2 * seconds + 2)
})

describe('without PostgreSQL', () => {
  test('a client that was away for a short while goes on; one that asks for stored bars is told to come again', async () => {
    const { symbol, market, key } = await newMarket(100)
    const held = market.closed.get(key)!.at(-12)!
    const link = await openSlowLink(servers.postgres.url, 0)
    const databaseUrl = new URL(servers.postgres.url)
    databaseUrl.port = new URL(link.url).port
    await using alone = await openEdge({ databaseUrl: databaseUrl.href })
    using aloneClient = openBarClient(`127.0.0.1:${alone.port}`)
    await link[Symbol.asyncDispose]()
    const request = { symbols: [symbol], intervals: ['1m'] }
    await using subscription = new Subscription(aloneClient, { ...request, positions: [positionOf(held)] })
    await subscription.untilTrade(key, 100)
    expect(closedOf(subscription.of(key))).toEqual(market.closed.get(key)!.slice(-11))
    await persist(market, MINUTE_START + 20 * MINUTE)
    const startTime = timestampOfTime(MINUTE_START)
    await using refused = new Subscription(aloneClient, { ...request, startTime })
    await refused.ended()
    expect(refused.error).toMatchObject({ code: 14, details: expect.stringContaining('cannot be read now') })
  })
})
