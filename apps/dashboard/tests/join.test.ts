import { setTimeout as sleep } from 'node:timers/promises'
import type { BarText } from '@chart/market'
import { startTcpLink, until } from '@chart/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SymbolsAnswer } from '../src/wire.ts'
import { metricOf, startDashboard, startServers, type TestDashboard, type TestServers } from './test-dashboard.ts'
import { MINUTE_START, TestMarket } from './test-market.ts'
import { TestPage } from './test-page.ts'

const MINUTE = 60_000

/** Of the property. */
const RUNS = 12

/** Generous: other work shares the machine. */
const EQUAL_MS = 20_000

let servers: TestServers
let dashboard: TestDashboard

beforeAll(async () => {
  servers = await startServers()
  dashboard = await startDashboard(servers)
})

afterAll(async () => {
  await dashboard[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})

const openMarket = (symbol: string) => TestMarket.open(servers.commands, symbol)

/** What is served is looked up once a second. */
async function untilServed({ symbol }: TestMarket): Promise<void> {
  await until(`${symbol} is served`, async () => {
    const answer = await fetch(`http://127.0.0.1:${dashboard.port}/api/symbols`)
    return ((await answer.json()) as SymbolsAnswer).symbols.some(one => one.symbol === symbol)
  })
}

/** Times of `count` trades, one every `everyMs` from `first` minutes on. */
function timesFrom(firstMinute: number, count: number, everyMs = MINUTE): number[] {
  return Array.from({ length: count }, (_, index) => MINUTE_START + firstMinute * MINUTE + index * everyMs)
}

/** What one version of a bar has in no other. */
function textOf({ openTime, state, revision, tradeCount, close }: BarText): string {
  return `${(openTime - MINUTE_START) / MINUTE} ${state} ${revision} ${tradeCount} ${close}`
}

/** Waits until the page holds the bars that were committed; tells those that differ. */
async function untilEqual(page: TestPage, market: TestMarket, interval = '1m', count?: number): Promise<void> {
  const differing = () => {
    const held = page.held(`${market.symbol}:${interval}`).map(textOf)
    const committed = market.all(interval, count).map(textOf)
    return {
      missing: committed.filter(text => !held.includes(text)),
      surplus: held.filter(text => !committed.includes(text)),
    }
  }
  const isEqual = () => differing().missing.length + differing().surplus.length === 0
  await until(`the page holds ${market.symbol}:${interval}`, isEqual, EQUAL_MS).catch(() => undefined)
  expect(differing()).toEqual({ missing: [], surplus: [] })
}

test('a page begins with the newest 500 closed bars and the live one, and is told every change', async () => {
  const market = await openMarket('AAAUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 600))
  using page = new TestPage(dashboard.port, 'AAAUSDT:1m,AAAUSDT:5m')
  await untilEqual(page, market, '1m', 500)
  await untilEqual(page, market, '5m')
  const [first, ...others] = page.events.filter(({ event }) => event === 'history').map(({ data }) => data)
  expect(first).toMatchObject({ symbol: 'AAAUSDT', interval: '1m', replace: true, isFirst: false })
  expect(others).toMatchObject([{ symbol: 'AAAUSDT', interval: '5m', replace: true, isFirst: true }])
  await market.trade(timesFrom(600, 3, 20_000))
  await until('the change is told', () => page.held('AAAUSDT:1m').at(-1)?.tradeCount === 3)
  await market.trade([...timesFrom(601, 1), ...timesFrom(599, 1)])
  await untilEqual(page, market, '1m', 502)
  expect(page.held('AAAUSDT:1m').at(-3)).toMatchObject({ state: 'closed', revision: 1, tradeCount: 2 })
  expect(page.connections).toBe(1)
})

test('bars are joined without a hole or a repeat, wherever the connection is cut while bars are committed', async () => {
  const markets = await Promise.all(Array.from({ length: RUNS }, (_, run) => openMarket(`RUN${run}USDT`)))
  await untilServed(markets.at(-1)!)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ trades: fc.integer({ min: 1, max: 90 }) }) },
    { weight: 2, arbitrary: fc.record({ late: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 3, arbitrary: fc.constant('cut' as const) },
    { weight: 1, arbitrary: fc.constant('lost' as const) },
    { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: 0, max: 40 }) }) },
  )
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
    const market = markets.pop()!
    let time = MINUTE_START
    // Some of them close a bar, some only change the live one.
    const nextTimes = (count: number) => Array.from({ length: count }, () => (time += 25_000))
    await market.trade(nextTimes(20))
    using page = new TestPage(dashboard.port, `${market.symbol}:1m,${market.symbol}:5m`)
    for (const one of steps) {
      if (one === 'cut') page.cut()
      else if (one === 'lost') await market.trade(nextTimes(5), { publish: false })
      else if ('waitMs' in one) await sleep(one.waitMs)
      else if ('trades' in one) await market.trade(nextTimes(one.trades))
      else await market.trade([time - one.late * MINUTE])
    }
    // Whatever was lost before shows with the next update.
    await market.trade(nextTimes(1))
    await untilEqual(page, market, '1m')
    await untilEqual(page, market, '5m')
  })
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
})

test('an update that got lost on the way is made good, live bar and closed ones', async () => {
  const market = await openMarket('LOSTUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 5))
  using page = new TestPage(dashboard.port, 'LOSTUSDT:1m')
  await untilEqual(page, market)
  const rereads = await metricOf(dashboard.registry, 'chart_dashboard_rereads_total')
  await market.trade([...timesFrom(5, 3), ...timesFrom(6, 1)], { publish: false })
  await market.trade(timesFrom(8, 1))
  await untilEqual(page, market)
  expect(page.held('LOSTUSDT:1m').at(-3)).toMatchObject({ revision: 1 })
  expect(await metricOf(dashboard.registry, 'chart_dashboard_rereads_total')).toBeGreaterThan(rereads)
  expect(page.connections).toBe(1)
})

test('bars that were committed while the connection to Redis was lost are told when it is back', async () => {
  const market = await openMarket('KILLUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 5))
  using page = new TestPage(dashboard.port, 'KILLUSDT:1m')
  await untilEqual(page, market)
  await Promise.all([servers.commands.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), market.trade(timesFrom(5, 40))])
  await untilEqual(page, market)
  await servers.commands.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await market.trade(timesFrom(45, 1))
  await untilEqual(page, market)
  await servers.commands.call('CLIENT', 'PAUSE', '400', 'ALL')
  await market.trade(timesFrom(46, 3))
  await untilEqual(page, market)
  expect(page.connections).toBe(1)
})

test('a page goes on with another server where the first one stopped', async () => {
  const market = await openMarket('MOVEUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 30))
  let server = await startDashboard(servers)
  using page = new TestPage(() => server.port, 'MOVEUSDT:1m')
  await untilEqual(page, market)
  await server[Symbol.asyncDispose]()
  await market.trade(timesFrom(30, 20))
  await market.trade(timesFrom(47, 1))
  server = await startDashboard(servers)
  await untilEqual(page, market)
  const last = page.events.filter(({ event }) => event === 'history').at(-1)!.data
  // From the bar that was live on: not the thirty that the page has.
  expect(last).toMatchObject({ replace: false, bars: { length: 20 } })
  await server[Symbol.asyncDispose]()
})

test('a page that lacks more than a thousand bars begins anew', async () => {
  const market = await openMarket('LONGUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 10))
  using page = new TestPage(dashboard.port, `LONGUSDT:1m`)
  await untilEqual(page, market)
  using early = new TestPage(dashboard.port, `LONGUSDT:1m@${MINUTE_START + 5 * MINUTE}`)
  await until('what it lacks is told', () => early.held('LONGUSDT:1m').length === 5)
  expect(early.events.find(({ event }) => event === 'history')!.data).toMatchObject({ replace: false })
  await market.trade(timesFrom(10, 1_200))
  await untilEqual(page, market)
  using late = new TestPage(dashboard.port, `LONGUSDT:1m@${MINUTE_START}`)
  await untilEqual(late, market, '1m', 500)
  expect(late.events.find(({ event }) => event === 'history')!.data).toMatchObject({ replace: true, isFirst: false })
})

test('live bars go on while no edge answers, and history comes when one does', async () => {
  const market = await openMarket('EDGEUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 5))
  await using link = await startTcpLink(servers.edgePort)
  link.retarget(undefined)
  await using server = await startDashboard({ ...servers, edgePort: link.port })
  using page = new TestPage(server.port, 'EDGEUSDT:1m')
  await until('the live bar is told', () => page.held('EDGEUSDT:1m').length === 1)
  await market.trade(timesFrom(5, 2))
  await until('closed bars are told too', () => page.held('EDGEUSDT:1m').length === 3)
  expect(page.count('history')).toBe(0)
  // Should the connection break now, nothing may count as told.
  expect(page.lastEventId).toBe('-')
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/bars?symbol=EDGEUSDT&interval=1m`)
  expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
    503,
    '2',
    { error: 'history cannot be read just now; try again in a few seconds' },
  ])
  link.retarget(servers.edgePort)
  await untilEqual(page, market)
  expect(page.connections).toBe(1)
})

test('pages are told how the feeds are, and when that changes', async () => {
  const market = await openMarket('FEEDUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 5))
  // One that is live would have to say so again every five seconds.
  await market.setFeed('backfilling')
  using page = new TestPage(dashboard.port, 'FEEDUSDT:1m,FEEDUSDT:5m')
  await until('the feed is told', () => page.feeds.get('FEEDUSDT')?.state === 'backfilling')
  expect(page.feeds.get('FEEDUSDT')).toEqual({
    symbol: 'FEEDUSDT',
    state: 'backfilling',
    lastTradeTime: MINUTE_START + 4 * MINUTE,
  })
  await market.setFeed('halted')
  await until('the change is told', () => page.feeds.get('FEEDUSDT')?.state === 'halted')
})

test('a feed that lives while nobody makes bars of its trades is told as behind, until they are made', async () => {
  const market = await openMarket('LATEUSDT')
  await untilServed(market)
  await market.trade(timesFrom(0, 5))
  using page = new TestPage(dashboard.port, 'LATEUSDT:1m')
  await until('the feed is told', () => page.feeds.get('LATEUSDT')?.state === 'live')
  const commit = await market.feed(timesFrom(5, 1))
  await until('the bars are behind', async () => {
    await market.hearFeed()
    return page.feeds.get('LATEUSDT')?.state === 'behind'
  })
  await commit()
  await untilEqual(page, market)
  await until('they have followed', async () => {
    await market.hearFeed()
    return page.feeds.get('LATEUSDT')?.state === 'live'
  })
})
