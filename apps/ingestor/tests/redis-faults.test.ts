import { type RedisServer, startRedis } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { expectLogsRight, expectTrades, expectWatermarksRight, openRig, type Rig, readLogs } from './rig.ts'

/** Redis goes away, comes back, and forgets: what it lost comes from the ring or from the exchange. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis({ appendOnly: true })
})
// Whatever the test before did to it.
beforeEach(() => server.restart())
afterAll(() => server.close())

const leading = async ({ metrics }: { metrics: { leading: { get(): Promise<{ values: { value: number }[] }> } } }) =>
  (await metrics.leading.get()).values[0]!.value === 1

test('a Redis that is killed and comes back costs nothing', async () => {
  await using rig = await openRig(server)
  await rig.startIngestor()
  await rig.untilState('live')
  for (let times = 0; times < 3; times++) {
    await server.kill()
    await server.restart()
    await rig.untilCaughtUp()
  }
  await rig.untilState('live')
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
})

test('a leader that Redis does not answer steps down, and leads again when it does', async () => {
  await using rig = await openRig(server)
  const ingestor = await rig.startIngestor()
  await rig.untilState('live')
  await server.kill('SIGSTOP')
  await until('it has stepped down', async () => !(await leading(ingestor)))
  await server.kill('SIGCONT')
  await until('it leads again', () => leading(ingestor))
  await rig.untilCaughtUp()
  await rig.untilState('live')
  await expectLogsRight(rig, server.url)
})

test('a stop is obeyed at once also while Redis is away', async () => {
  await using rig = await openRig(server)
  const ingestor = await rig.startIngestor()
  await rig.untilState('live')
  await server.kill()
  await ingestor.stop()
  await server.restart()
})

test('more trades than the ring holds are fetched when Redis is back', async () => {
  await using rig = await openRig(server, { symbols: ['BTCUSDT'], market: { tradesPerSecond: 8_000 } })
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  const head = (await rig.head('BTCUSDT'))!
  const before = (await metrics.backfilled.get()).values[0]!.value
  await server.kill()
  await until('the ring is full', () => rig.simulator.status().symbols.BTCUSDT!.lastTradeId! > head + 30_000)
  await server.restart()
  await rig.untilCaughtUp()
  await rig.untilState('live')
  expect((await metrics.backfilled.get()).values[0]!.value).toBeGreaterThan(before)
  await expectLogsRight(rig, server.url)
})

test('an emptied Redis gets its symbols, seeds and trades again, from the present minute on', async () => {
  await using rig = await openRig(server)
  const ingestor = await rig.startIngestor()
  await rig.untilState('live')
  await rig.redis.flushall()
  await until('the symbols are known again', async () => (await rig.redis.hlen('symbols')) === rig.symbols.length)
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) expectWatermarksRight(logged.get(symbol)!)
  // Each symbol is seeded once, with few entries refused meanwhile: no loop that turns without a rest.
  const { values } = await ingestor.metrics.entries.get()
  expect(values.find(({ labels }) => labels.result === 'mismatch')?.value ?? 0).toBeLessThan(20)
})

test('a log that is deleted goes on after the last trade that it had', async () => {
  await using rig = await openRig(server, { partitions: 1 })
  await rig.startIngestor()
  await rig.untilState('live')
  const before = await rig.head('BTCUSDT')
  await rig.redis.del('log:{p00}')
  await until('it goes on', async () => (await rig.head('BTCUSDT'))! > before! + 20)
  await rig.untilCaughtUp()
  await expectLaterTrades(rig)
})

test('heads that are deleted are taken from the bars, and numbers go on after what was folded', async () => {
  await using rig = await openRig(server, { symbols: ['BTCUSDT'], partitions: 1 })
  await rig.startIngestor()
  await rig.untilState('live')
  const stored = (await rig.head('BTCUSDT'))! - 10
  await rig.redis
    .multi()
    .del('heads:{p00}', 'log:{p00}')
    .hset('state:{p00}:BTCUSDT', { lastTradeId: stored })
    .hset('position:{p00}', { pos: 5_000 })
    .exec()
  await until('it goes on', async () => ((await rig.head('BTCUSDT')) ?? 0) > stored)
  await rig.untilCaughtUp()
  const { trades } = (await readLogs(rig, server.url)).get('BTCUSDT')!
  await expectTrades(rig, 'BTCUSDT', trades, stored)
  const [first] = await rig.redis.xrange('log:{p00}', '-', '+', 'COUNT', 1)
  expect(first![0]).toBe('5001-0')
})

test('a Redis that is full refuses trades; those that may not wait are fetched when there is room', async () => {
  await using rig = await openRig(server, { symbols: ['BTCUSDT'], market: { tradesPerSecond: 8_000 } })
  const { metrics } = await rig.startIngestor()
  await rig.untilState('live')
  await rig.redis.config('SET', 'maxmemory', '1')
  const head = (await rig.head('BTCUSDT'))!
  await until('more than may wait', () => rig.simulator.status().symbols.BTCUSDT!.lastTradeId! > head + 30_000)
  const { values } = await metrics.entries.get()
  expect(values.find(({ labels }) => labels.result === 'error')!.value).toBeGreaterThan(0)
  await rig.redis.config('SET', 'maxmemory', '0')
  await rig.untilCaughtUp()
  await rig.untilState('live')
  await expectLogsRight(rig, server.url)
})

/** Checks what is left of every log. */
async function expectLaterTrades(rig: Rig): Promise<void> {
  for (const [symbol, { trades }] of await readLogs(rig, server.url)) {
    await expectTrades(rig, symbol, trades, trades[0]!.tradeId - 1)
  }
}
