import { type RedisServer, startRedis } from '@chart/servers'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { expectBarsRight, metricOf, openRig, trade, untilReached } from './rig.ts'

/** Redis goes away, comes back, and forgets: the bars end equal to the exchange's. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis({ appendOnly: true })
})
// Whatever the test before did to it.
beforeEach(() => server.restart())
afterEach(killApps)
afterAll(() => server.close())

const MINUTE_MS = 60_000

test('a Redis that is killed and comes back costs no bar', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  await rig.startAggregator('one')
  await untilReached(rig, 1)
  for (let times = 0; times < 3; times++) {
    await trade(rig, 10_000)
    await server.kill()
    await server.restart()
  }
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
})

test('a Redis that hangs for a while costs no bar', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  await rig.startAggregator('one')
  await untilReached(rig, 1)
  await server.kill('SIGSTOP')
  await trade(rig, 50_000)
  await server.kill('SIGCONT')
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
})

test('after Redis was emptied the bars begin again with the present minute', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const { metrics } = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await rig.redis.flushall()
  const emptiedTime = rig.simulator.now()
  await until('it owns the partitions again', async () => (await rig.tags()).length > 0)
  await trade(rig, 2 * MINUTE_MS)
  await expectBarsRight(rig, emptiedTime - (emptiedTime % MINUTE_MS) + MINUTE_MS)
  expect(await metricOf(metrics.missing)).toBe(0)
})

test('a Redis that falls back to an earlier state of itself is followed there, and caught up', async () => {
  await using rig = await openRig(server, { partitions: 1 })
  rig.startIngestor()
  await rig.startAggregator('one')
  await untilReached(rig, 1)
  const keys = await rig.redis.keys('*{p00}*')
  const dumps = await Promise.all(keys.map(async key => [key, await rig.redis.dumpBuffer(key)] as const))
  await trade(rig, 10_000)
  const restore = rig.redis.multi()
  for (const [key, dump] of dumps) restore.restore(key, 0, dump, 'REPLACE')
  await restore.exec()
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
})

test('a stop is obeyed at once also while Redis is away', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const one = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await server.kill()
  await one.stop()
  expect(await metricOf(one.metrics.owned)).toBeGreaterThanOrEqual(0)
  await server.restart()
})
