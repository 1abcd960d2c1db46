import { openBarClient, type SeriesPositionMessage, timestampOfTime } from '@chart/grpc'
import { type BarText, intervalsOf } from '@chart/market'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { PATIENT, until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClientEvent, Subscription } from './followed-series.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { openSlowLink } from './slow-link.ts'
import { MINUTE_START, TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge, type TestEdge } from './test-edge.ts'

/** What a call that goes on from a position is told, where history, corrections and changes meet; found by random-cuts.test.ts. */

const INTERVALS = intervalsOf(['1s', '1m'])
const SECOND = 1_000
const MINUTE = 60_000

let servers: Servers
let redis: RedisConnection

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
})
afterAll(async () => {
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

function openEdge(commandsUrl?: string): Promise<TestEdge> {
  const urls = { redisUrl: servers.redis.url, databaseUrl: servers.postgres.url, ...(commandsUrl && { commandsUrl }) }
  return startEdge({ ...urls, intervals: INTERVALS })
}

let markets = 0

async function newMarket() {
  const symbol = `T${String(markets++).padStart(3, '0')}USDT`
  const market = await TestAggregator.open(redis, symbol, INTERVALS)
  const { tag } = market
  await redis.del(`log:${tag}`, `heads:${tag}`, `position:${tag}`, `pending:${tag}`)
  await market.register(symbol)
  return { symbol, market }
}

function positionOf(bar: BarText): SeriesPositionMessage {
  const { symbol, interval, openTime, state, revision, lastTradeId } = bar
  const name = state === 'closed' ? 'BAR_STATE_CLOSED' : 'BAR_STATE_LIVE'
  return {
    symbol,
    interval,
    newest: { openTime: timestampOfTime(openTime), state: name, revision, lastTradeId },
    corrected: [],
  }
}

const textOf = ({ type, bar }: ClientEvent) => `${type} r${bar.revision}`

test('a correction that was missed is told although its bar waits for PostgreSQL and no edge remembers it', async () => {
  const { symbol, market } = await newMarket()
  const everyMs = MINUTE
  await market.commit({ [symbol]: tradesOf(1, 10, everyMs) })
  const position = positionOf(market.live(symbol, '1m'))
  // The bar before the live one, then more bars than the symbol's state keeps.
  await market.commit({ [symbol]: [{ ...tradeOf(11, everyMs), tradeTime: tradeOf(9, everyMs).tradeTime }] })
  await market.commit({ [symbol]: tradesOf(12, 20, everyMs) })
  await using edge = await openEdge()
  using client = openBarClient(`127.0.0.1:${edge.port}`)
  await using subscription = new Subscription(client, { symbols: [symbol], intervals: ['1m'], positions: [position] })
  const key = `${symbol} 1m`
  await subscription.untilTrade(key, 20)
  const first = subscription.of(key)[0]!
  expect(textOf(first)).toBe('corrected r1')
  expect(first.bar).toEqual(market.closed.get(key)!.find(({ revision }) => revision === 1))
})

test('corrected bars that lie behind the position do not come before those between', async () => {
  const { symbol, market } = await newMarket()
  const everyMs = SECOND
  await market.commit({ [symbol]: tradesOf(1, 10, everyMs) })
  const position = positionOf(market.live(symbol, '1s'))
  // An edge that remembers the last 120 seconds, one of them corrected before they begin.
  await market.commit({ [symbol]: tradesOf(11, 30, everyMs) })
  await using edge = await openEdge()
  using client = openBarClient(`127.0.0.1:${edge.port}`)
  await using other = new Subscription(client, { symbols: [symbol], intervals: ['1s'] })
  await other.untilTrade(`${symbol} 1s`, 30)
  await market.commit({ [symbol]: [{ ...tradeOf(31, everyMs), tradeTime: tradeOf(25, everyMs).tradeTime }] })
  await market.commit({ [symbol]: tradesOf(32, 200, everyMs) })
  await other.untilTrade(`${symbol} 1s`, 200)
  await using subscription = new Subscription(client, { symbols: [symbol], intervals: ['1s'], positions: [position] })
  await subscription.untilTrade(`${symbol} 1s`, 200)
  const closed = subscription.of(`${symbol} 1s`).filter(({ type }) => type === 'closed')
  const openTimes = closed.map(({ bar }) => bar.openTime)
  expect(openTimes).toEqual(openTimes.toSorted((a, b) => a - b))
  expect(openTimes[0]).toBeGreaterThan(tradeOf(25, everyMs).tradeTime)
})

test('bars that close while history is read come before the live bar, whatever moment that ends in', async () => {
  const { symbol, market } = await newMarket()
  const everyMs = SECOND
  await market.commit({ [symbol]: tradesOf(1, 30, everyMs) })
  await using link = await openSlowLink(servers.redis.url, 2)
  await using edge = await openEdge(link.url)
  using client = openBarClient(`127.0.0.1:${edge.port}`)
  await client.listSymbols()
  let last = 30
  for (let round = 0; round < 20; round++) {
    await using stack = new AsyncDisposableStack()
    const subscriptions = Array.from({ length: 10 }, (_, index) => {
      // Each reads a history of its own.
      const startTime = timestampOfTime(MINUTE_START - index * MINUTE)
      return stack.use(new Subscription(client, { symbols: [symbol], intervals: ['1s', '1m'], startTime }))
    })
    while (!subscriptions.every(({ events }) => events.some(({ type }) => type === 'snapshot'))) {
      await market.commit({ [symbol]: tradesOf(last + 1, last + 2, everyMs) })
      last += 2
    }
    for (const subscription of subscriptions) {
      await subscription.untilTrade(`${symbol} 1s`, last)
      const events = subscription.of(`${symbol} 1s`)
      const live = events.findIndex(({ type }) => type === 'snapshot')
      const { openTime } = events[live]!.bar
      const late = events.slice(live).filter(({ type, bar }) => type === 'closed' && bar.openTime < openTime)
      expect(late.map(textOf)).toEqual([])
    }
  }
})

test('a stream of closed bars says where a series begins before it tells a correction of an earlier bar of it', async () => {
  const { symbol, market } = await newMarket()
  const everyMs = SECOND
  await market.commit({ [symbol]: tradesOf(1, 10, everyMs) })
  const position = positionOf(market.live(symbol, '1m'))
  // More minutes than the edge can tell from what it knows: it asks for them, which takes a while.
  await market.commit({ [symbol]: tradesOf(11, 400, everyMs) })
  await using link = await openSlowLink(servers.redis.url, 200)
  await using edge = await openEdge(link.url)
  using client = openBarClient(`127.0.0.1:${edge.port}`)
  await using other = new Subscription(client, { symbols: [symbol], intervals: ['1s'] })
  await other.untilTrade(`${symbol} 1s`, 400)
  const stop = new AbortController()
  const request = {
    symbols: [symbol],
    intervals: ['1s', '1m'],
    mode: 'STREAM_MODE_CLOSED',
    positions: [position],
  } as const
  const told: string[] = []
  const following = (async () => {
    for await (const { events, positions } of client.streamBars(request, stop.signal)) {
      told.push(...positions.map(({ interval }) => `position ${interval}`))
      told.push(...events.flatMap(({ type, bar }) => (bar === null ? [] : [`${type.slice(15)} ${bar.interval}`])))
    }
  })().catch(() => undefined)
  await until('it is served', async () => (await edge.metrics.streams.get()).values[0]!.value === 2)
  await market.commit({ [symbol]: [{ ...tradeOf(401, everyMs), tradeTime: tradeOf(398, everyMs).tradeTime }] })
  await until('the correction is told', () => told.includes('CORRECTED 1s'))
  stop.abort()
  await following
  expect(told.indexOf('position 1s')).toBeGreaterThanOrEqual(0)
  expect(told.indexOf('position 1s')).toBeLessThan(told.indexOf('CORRECTED 1s'))
  expect(told.indexOf('CLOSED 1m')).toBeLessThan(told.indexOf('CORRECTED 1s'))
})
