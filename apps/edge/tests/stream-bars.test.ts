import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BarClient, openBarClient } from '@chart/grpc'
import { intervalsOf } from '@chart/market'
import { upsertBars } from '@chart/postgres'
import {
  ackPending,
  barOfPendingValue,
  closeRedis,
  feedKey,
  openRedis,
  type RedisConnection,
  scanPending,
} from '@chart/redis'
import { PATIENT, until } from '@chart/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkSeries, Subscription } from './followed-series.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { openSlowLink, type SlowLink } from './slow-link.ts'
import { MINUTE_START, TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge, type TestEdge } from './test-edge.ts'
import { countOf } from './test-metrics.ts'

const INTERVALS = intervalsOf(['1s', '1m', '5m'])

let servers: Servers
let redis: RedisConnection
let link: SlowLink
let edge: TestEdge
let client: BarClient

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
  link = await openSlowLink(servers.redis.url, 15)
  edge = await startEdge({
    redisUrl: servers.redis.url,
    commandsUrl: link.url,
    databaseUrl: servers.postgres.url,
    intervals: INTERVALS,
  })
  client = openBarClient(`127.0.0.1:${edge.port}`)
})

afterAll(async () => {
  client[Symbol.dispose]()
  await edge[Symbol.asyncDispose]()
  await link[Symbol.asyncDispose]()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

let markets = 0

/** A symbol of its own for each test, in a partition that it has to itself while the test runs. */
async function newMarket(...trades: Parameters<TestAggregator['commit']>[0][string]) {
  // One partition may serve several tests one after the other; each claims it anew and starts with a clean log.
  const symbol = `S${String(markets++).padStart(3, '0')}USDT`
  const market = await openMarket(symbol)
  // An edge looks for symbols it does not know at most once a second, and whenever it lists them.
  await client.listSymbols()
  if (trades.length > 0) await market.commit({ [symbol]: trades })
  return { symbol, market }
}

async function openMarket(symbol: string): Promise<TestAggregator> {
  const market = await TestAggregator.open(redis, symbol, INTERVALS)
  const { tag } = market
  await redis.del(`log:${tag}`, `heads:${tag}`, `position:${tag}`, `pending:${tag}`)
  await market.register(symbol)
  return market
}

function subscribe(symbols: string[], intervals: string[], mode?: 'LATEST' | 'CLOSED'): Subscription {
  return new Subscription(client, { symbols, intervals, ...(mode && { mode: `STREAM_MODE_${mode}` as const }) })
}

const EDGES = 20
const JOINS = 10

test(`${EDGES * JOINS} subscribers that join ${EDGES} edges at any moment see a snapshot, then every trade once and every closed bar`, async () => {
  const one = await newMarket(tradeOf(1))
  const other = await newMarket(tradeOf(1))
  let running = true
  const commits = (async () => {
    for (let next = 2; running; ) {
      const count = 1 + Math.floor(Math.random() * 5)
      await Promise.all(
        [one, other].map(({ market, symbol }) => market.commit({ [symbol]: tradesOf(next, next + count - 1) })),
      )
      next += count
    }
  })()
  const join = async (ownClient: BarClient) => {
    for (let wait = Math.floor(Math.random() * 20); wait > 0; wait--) await nextTurn()
    const markets = Math.random() < 0.5 ? [one] : [one, other]
    const symbols = markets.map(({ symbol }) => symbol)
    await using subscription = new Subscription(ownClient, { symbols, intervals: ['1s', '1m'] })
    const keys = symbols.flatMap(symbol => [`${symbol} 1s`, `${symbol} 1m`])
    await subscription.until(() => keys.every(key => subscription.of(key).length > 25))
    for (const { market, symbol } of markets) {
      for (const key of [`${symbol} 1s`, `${symbol} 1m`])
        checkSeries(subscription.of(key), market.closed.get(key) ?? [])
    }
  }
  try {
    for (let round = 0; round < EDGES; round++) {
      // A new edge reads the symbols' bars for the first time while commits go on.
      // Its commands take a while, so that updates arrive between a reading and its answer.
      await using link = await openSlowLink(servers.redis.url, round % 5)
      await using own = await startEdge({
        redisUrl: servers.redis.url,
        commandsUrl: link.url,
        databaseUrl: servers.postgres.url,
        intervals: INTERVALS,
      })
      using ownClient = openBarClient(`127.0.0.1:${own.port}`)
      await Promise.all(Array.from({ length: JOINS }, () => join(ownClient)))
      expect(await countOf(own.metrics.differing)).toBe(0)
      expect(await countOf(own.metrics.rereads)).toBe(0)
    }
  } finally {
    running = false
    await commits
  }
})

test('every trade is an update of its own although many share one commit, and they arrive in few messages', async () => {
  const { symbol, market } = await newMarket(tradeOf(1))
  await using subscription = subscribe([symbol], ['1s', '1m', '5m'])
  await subscription.until(() => subscription.events.length === 3)
  const before = subscription.messages
  await market.commit({ [symbol]: tradesOf(2, 500) })
  for (const interval of ['1s', '1m', '5m']) await subscription.untilTrade(`${symbol} ${interval}`, 500)
  for (const interval of ['1s', '1m', '5m']) {
    const key = `${symbol} ${interval}`
    checkSeries(subscription.of(key), market.closed.get(key) ?? [])
    const updates = subscription.of(key).filter(event => event.type === 'update')
    expect(updates).toHaveLength(499)
    expect(updates.at(-1)!.bar).toEqual(market.live(symbol, interval))
  }
  expect(subscription.messages - before).toBeLessThan(20)
})

test('groups share what is made for a series and keep their own order; latest and closed leave out what they say', async () => {
  const { symbol, market } = await newMarket(tradeOf(1))
  const one = `${symbol} 1s`
  await using all = subscribe([symbol], ['1m', '1s'])
  await using seconds = subscribe([symbol], ['1s'])
  await using latest = subscribe([symbol], ['1s', '1m'], 'LATEST')
  await using closed = subscribe([symbol], ['1s'], 'CLOSED')
  for (const each of [all, seconds, latest]) await each.until(() => each.events.length > 0)
  // A call in closed mode tells nothing until a bar closes, so bars close until it has.
  let last = 1
  while (closed.events.length === 0) {
    await market.commit({ [symbol]: tradesOf(last + 1, last + 10) })
    last += 10
    await nextTurn()
  }
  await market.commit({ [symbol]: tradesOf(last + 1, last + 200) })
  last += 200
  for (const each of [all, seconds, latest]) await each.untilTrade(one, last)
  const lastClosed = market.closed.get(one)!.at(-1)!
  await closed.until(() => closed.events.at(-1)!.bar.openTime === lastClosed.openTime)
  checkSeries(all.of(one), market.closed.get(one)!)
  checkSeries(all.of(`${symbol} 1m`), market.closed.get(`${symbol} 1m`) ?? [])
  expect(seconds.events).toEqual(all.of(one))
  const closedOf = (subscription: Subscription) =>
    subscription
      .of(one)
      .filter(event => event.type === 'closed')
      .map(event => event.bar)
  expect(closedOf(latest)).toEqual(closedOf(all))
  expect(closed.events.every(event => event.type === 'closed')).toBe(true)
  expect(closedOf(all).slice(-closed.events.length)).toEqual(closedOf(closed))
  expect(latest.of(one).filter(event => event.type === 'update').length).toBeLessThan(last / 2)
  expect(latest.of(one).at(-1)!.bar).toEqual(market.live(symbol, '1s'))
})

test('a late trade is told as a correction, with its revision', async () => {
  const { symbol, market } = await newMarket(tradeOf(1, 1_000))
  await using subscription = subscribe([symbol], ['1s'])
  await subscription.until(() => subscription.events.length > 0)
  await market.commit({
    [symbol]: [tradeOf(2, 1_000), { ...tradeOf(3, 1_000), tradeTime: tradeOf(1, 1_000).tradeTime }],
  })
  await subscription.until(() => subscription.events.at(-1)!.type === 'corrected')
  expect(subscription.events.map(event => event.type)).toEqual(['snapshot', 'closed', 'update', 'corrected'])
  expect(subscription.events.at(-1)!.bar).toMatchObject({ revision: 1, tradeCount: 2, lastTradeId: 3 })
})

describe('when updates are missed', () => {
  test('a lost one is noticed with the next: closed bars it had come first, then the live bar as a snapshot', async () => {
    const { symbol, market } = await newMarket(tradeOf(1, 400))
    await using subscription = subscribe([symbol], ['1s', '1m'])
    await using closed = subscribe([symbol], ['1s'], 'CLOSED')
    await subscription.until(() => subscription.events.length === 2)
    while (closed.events.length === 0) {
      const last = market.lastTradeId(symbol)
      await market.commit({ [symbol]: tradesOf(last + 1, last + 3, 400) })
    }
    const from = market.lastTradeId(symbol)
    await subscription.untilTrade(`${symbol} 1s`, from)
    const seen = subscription.of(`${symbol} 1s`).length
    await market.commit({ [symbol]: tradesOf(from + 1, from + 12, 400) }, false)
    await market.commit({ [symbol]: tradesOf(from + 13, from + 14, 400) })
    await subscription.until(() => subscription.events.slice(2).some(event => event.type === 'snapshot'))
    await market.commit({ [symbol]: [tradeOf(from + 15, 400)] })
    await subscription.untilTrade(`${symbol} 1s`, from + 15)
    const after = subscription.of(`${symbol} 1s`).slice(seen)
    const told = subscription.of(`${symbol} 1s`).filter(event => event.type === 'closed')
    expect(told.map(event => event.bar)).toEqual(market.closed.get(`${symbol} 1s`))
    const snapshot = after.findIndex(event => event.type === 'snapshot')
    expect(after.slice(0, snapshot).every(event => event.type === 'closed')).toBe(true)
    expect(after[snapshot]!.bar.lastTradeId).toBeGreaterThanOrEqual(from + 12)
    const rest = after
      .slice(snapshot)
      .filter(event => event.type !== 'closed')
      .map(event => event.bar.lastTradeId)
    expect(rest).toEqual(rest.map((_, index) => from + 15 - rest.length + 1 + index))
    expect(after.at(-1)!.bar).toEqual(market.live(symbol, '1s'))
    await closed.until(() => closed.events.length >= told.length - 1)
    expect(new Set(closed.events.map(event => event.bar.openTime)).size).toBe(closed.events.length)
  })

  test('closed bars older than those kept for corrections come from the outbox and from PostgreSQL', async () => {
    const { symbol, market } = await newMarket(tradeOf(1, 20_000))
    const key = `${symbol} 1m`
    await using subscription = subscribe([symbol], ['1m'])
    await subscription.until(() => subscription.events.length === 1)
    await market.commit({ [symbol]: tradesOf(2, 4, 20_000) })
    await subscription.untilTrade(key, 4)
    for (let id = 5; id <= 40; id++) await market.commit({ [symbol]: [tradeOf(id, 20_000)] }, false)
    // The persister has done the first half.
    for await (const entries of scanPending(redis, market.tag, 100)) {
      const bars = entries.filter(([field]) => Number(field.split('|')[2]) < MINUTE_START + 7 * 60_000)
      await upsertBars(
        edge.postgres,
        bars.map(([, value]) => barOfPendingValue(value)),
      )
      await ackPending(redis, market.tag, bars)
    }
    await market.commit({ [symbol]: [tradeOf(41, 20_000)] })
    await subscription.untilTrade(key, 41)
    const told = subscription
      .of(key)
      .filter(event => event.type === 'closed')
      .map(event => event.bar)
    expect(told).toEqual(market.closed.get(key))
    expect(told.length).toBeGreaterThan(10)
  })

  test('also the very first updates after a snapshot, when no closed bar was told yet', async () => {
    const { symbol, market } = await newMarket(tradeOf(1, 20_000))
    const key = `${symbol} 1m`
    // An edge of its own, which has heard no update of the partition.
    await using fresh = await startEdge({
      redisUrl: servers.redis.url,
      databaseUrl: servers.postgres.url,
      intervals: INTERVALS,
    })
    using freshClient = openBarClient(`127.0.0.1:${fresh.port}`)
    await using subscription = new Subscription(freshClient, { symbols: [symbol], intervals: ['1m'] })
    await subscription.until(() => subscription.events.length === 1)
    for (let id = 2; id <= 20; id++) await market.commit({ [symbol]: [tradeOf(id, 20_000)] }, false)
    await market.commit({ [symbol]: [tradeOf(21, 20_000)] })
    await subscription.untilTrade(key, 21)
    const told = subscription
      .of(key)
      .filter(event => event.type === 'closed')
      .map(event => event.bar)
    expect(told).toEqual(market.closed.get(key))
    expect(told.length).toBeGreaterThan(5)
  })

  test('when Redis has fallen back to an earlier state of itself, nobody is taken back in time with it', async () => {
    const { symbol, market } = await newMarket(tradeOf(1))
    const key = `${symbol} 1m`
    await using subscription = subscribe([symbol], ['1m'])
    await subscription.until(() => subscription.events.length === 1)
    await market.commit({ [symbol]: tradesOf(2, 5, 1) })
    const state = `state:${market.tag}:${symbol}`
    const earlier = await redis.hgetall(state)
    await market.commit({ [symbol]: tradesOf(6, 10, 1) })
    await subscription.untilTrade(key, 10)
    await redis.hset(state, earlier)
    const rereads = await countOf(edge.metrics.rereads)
    await redis.spublish(`updates:${market.tag}`, 'unreadable')
    await until('the bars are read again', async () => (await countOf(edge.metrics.rereads)) > rereads)
    // It joins when the reading is done.
    await using joiner = subscribe([symbol], ['1m'])
    await joiner.until(() => joiner.events.length > 0)
    expect(joiner.events[0]!.bar.lastTradeId).toBe(10)
    expect(subscription.events.filter(event => event.type === 'snapshot')).toHaveLength(1)
    await market.commit({ [symbol]: [tradeOf(11, 1)] })
    await subscription.untilTrade(key, 11)
  })

  test('a killed connection costs no closed bar, and the stream goes on', async () => {
    const { symbol, market } = await newMarket(tradeOf(1))
    const key = `${symbol} 1s`
    await using subscription = subscribe([symbol], ['1s', '1m'])
    await subscription.until(() => subscription.events.length === 2)
    for (let round = 0; round < 10; round++) {
      const seen = subscription.events.length
      const rereads = await countOf(edge.metrics.rereads)
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      if (round % 3 === 0) await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      if (round % 3 === 1) {
        // And once more while the bars are being read again.
        while ((await countOf(edge.metrics.rereads)) === rereads) await nextTurn()
        await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      }
      while (!subscription.events.slice(seen).some(event => event.type === 'snapshot')) {
        const last = market.lastTradeId(symbol)
        await market.commit({ [symbol]: tradesOf(last + 1, last + 3) })
      }
    }
    const last = market.lastTradeId(symbol)
    await market.commit({ [symbol]: tradesOf(last + 1, last + 30) })
    await subscription.untilTrade(key, last + 30)
    const events = subscription.of(key)
    const told = events.filter(event => event.type === 'closed').map(event => event.bar)
    const all = market.closed.get(key)!
    // More than ten seconds of market time may pass while a connection is away; seconds are kept no longer.
    expect(all.filter(bar => told.some(one => one.openTime === bar.openTime))).toEqual(told)
    expect(told.at(-1)).toEqual(all.at(-1))
    expect(events.at(-1)!.bar).toEqual(market.live(symbol, '1s'))
    const minutes = subscription.of(`${symbol} 1m`).filter(event => event.type === 'closed')
    expect(minutes.map(event => event.bar)).toEqual(market.closed.get(`${symbol} 1m`) ?? [])
    const ids = events.filter(event => event.type !== 'closed').map(event => event.bar.lastTradeId)
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
  })

  test('bytes that are no update stop nothing', async () => {
    const { symbol, market } = await newMarket(tradeOf(1))
    await using subscription = subscribe([symbol], ['1m'])
    await subscription.until(() => subscription.events.length === 1)
    const rereads = await countOf(edge.metrics.rereads)
    for (const bytes of ['', 'nonsense', Buffer.from([26, 200, 1]), Buffer.from([26, 4, 50, 2, 255, 255])]) {
      await redis.spublish(`updates:${market.tag}`, bytes)
    }
    await market.commit({ [symbol]: tradesOf(2, 5) })
    await subscription.untilTrade(`${symbol} 1m`, 5)
    expect(subscription.events.at(-1)!.bar).toEqual(market.live(symbol, '1m'))
    expect(await countOf(edge.metrics.rereads)).toBeGreaterThan(rereads)
  })
})

test('a client that never reads is let go of at the bound; another goes on as if nothing were', async () => {
  const { symbol, market } = await newMarket(tradeOf(1, 1_000))
  const stuckClient = openBarClient(`127.0.0.2:${edge.port}`)
  const stop = new AbortController()
  const stuck = stuckClient
    .streamBars({ symbols: [symbol], intervals: ['1s', '1m'] }, stop.signal)
    [Symbol.asyncIterator]()
  try {
    expect((await stuck.next()).done).toBe(false)
    await using subscription = subscribe([symbol], ['1s', '1m'])
    await subscription.until(() => subscription.events.length === 2)
    const evicted = await countOf(edge.metrics.evicted)
    let last = 1
    while ((await countOf(edge.metrics.evicted)) === evicted) {
      await market.commit({ [symbol]: tradesOf(last + 1, last + 200, 1_000) })
      last += 200
      await subscription.untilTrade(`${symbol} 1s`, last)
    }
    const writes = await countOf(edge.metrics.writes)
    await market.commit({ [symbol]: [tradeOf(last + 1, 1_000)] })
    await subscription.untilTrade(`${symbol} 1s`, last + 1)
    expect((await countOf(edge.metrics.writes)) - writes, 'messages for the one that reads').toBe(1)
    checkSeries(subscription.of(`${symbol} 1s`), market.closed.get(`${symbol} 1s`)!)
    // What was written before the bound is still there to be read, then the reason.
    const drained = (async () => {
      while (!(await stuck.next()).done);
    })()
    await expect(drained).rejects.toMatchObject({ code: 8, details: expect.stringContaining('closed bars wait') })
  } finally {
    stop.abort()
    await stuck.return?.()
    stuckClient[Symbol.dispose]()
  }
})

test('a heartbeat tells how the feed of each symbol is', async () => {
  const { symbol, market } = await newMarket(tradeOf(1), { watermark: MINUTE_START + 500 })
  // As if its ingestor went on writing while we wait for the heartbeat.
  await redis.hset(feedKey(market.tag, symbol), 'writtenTime', String(Date.now() + 60_000))
  const heartbeats = edge.sendHeartbeats()
  const stop = new AbortController()
  try {
    for await (const { events } of client.streamBars({ symbols: [symbol], intervals: ['1m'] }, stop.signal)) {
      const event = events.find(one => one.type === 'BAR_EVENT_TYPE_HEARTBEAT')
      if (event === undefined) continue
      expect(event.bar).toBe(null)
      expect(event.feed).toMatchObject({ symbol, state: 'FEED_STATE_LIVE', lastTradeId: 1 })
      break
    }
  } finally {
    stop.abort()
  }
  expect(market.lastTradeId(symbol)).toBe(1)
  void heartbeats
})

test('an edge that stops ends every call with UNAVAILABLE and takes no other', async () => {
  const { symbol, market } = await newMarket(tradeOf(1))
  const own = await startEdge({ redisUrl: servers.redis.url, databaseUrl: servers.postgres.url, intervals: INTERVALS })
  using ownClient = openBarClient(`127.0.0.1:${own.port}`)
  await using subscription = new Subscription(ownClient, { symbols: [symbol], intervals: ['1m'] })
  await subscription.until(() => subscription.events.length === 1)
  await own[Symbol.asyncDispose]()
  await subscription.ended()
  expect(subscription.error).toMatchObject({ code: 14 })
  await using late = new Subscription(ownClient, { symbols: [symbol], intervals: ['1m'] })
  await late.ended()
  expect(late.error).toMatchObject({ code: 14 })
  expect(market.lastTradeId(symbol)).toBe(1)
})

test('Redis goes away and comes back while a stream is open: it goes on', async () => {
  const { symbol, market } = await newMarket(tradeOf(1))
  await using subscription = subscribe([symbol], ['1s', '1m'])
  await subscription.until(() => subscription.events.length === 2)
  await servers.redis.kill()
  await servers.redis.restart()
  // It comes back empty: the symbol begins anew.
  await redis.ping().catch(() => undefined)
  while (redis.status !== 'ready') await nextTurn()
  const again = await openMarket(symbol)
  const seen = subscription.events.length
  let last = 0
  while (!subscription.events.slice(seen).some(event => event.bar.lastTradeId > 5)) {
    await again.commit({ [symbol]: tradesOf(last + 1, last + 5) })
    last += 5
    await nextTurn()
  }
  await again.commit({ [symbol]: tradesOf(last + 1, last + 5) })
  await subscription.until(() => subscription.of(`${symbol} 1m`).at(-1)!.bar.lastTradeId === last + 5)
  expect(subscription.of(`${symbol} 1m`).at(-1)!.bar).toEqual(again.live(symbol, '1m'))
  expect(market.tag).toBe(again.tag)
})
