import { type RedisServer, startRedis } from '@chart/servers'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectBarsRight, metricOf, openRig, tagIn, trade, untilOwnedBy, untilReached } from './rig.ts'

/** From the trade logs to bars, with one aggregator and whatever may befall its partition. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterEach(killApps)
afterAll(() => server.close())

const MINUTE_MS = 60_000

test('closed bars in the outbox and live bars in their hashes are those of the exchange', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const { metrics } = await rig.startAggregator('one')
  await trade(rig, 2 * MINUTE_MS)
  await expectBarsRight(rig)
  expect(await metricOf(metrics.duplicates)).toBe(0)
  expect(await metricOf(metrics.missing)).toBe(0)
})

test('an aggregator that starts later works off what has gathered', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  await trade(rig, 2 * MINUTE_MS)
  await rig.startAggregator('one')
  await expectBarsRight(rig)
})

test('a commit that conflicts is not forced: the partition is loaded again and goes on', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const { metrics } = await rig.startAggregator('one')
  await untilReached(rig, 1)
  for (const tag of await rig.tags()) await rig.redis.hincrby(`position:${tag}`, 'rev', 1)
  await until('it conflicted', async () => (await metricOf(metrics.commits, { result: 'conflict' })) > 0)
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
})

test('an entry that is missing makes the log be appended again from where the bars stand', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const first = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await first.stop()
  const tag = tagIn(rig, 'BTCUSDT')
  const pos = Number(await rig.redis.hget(`position:${tag}`, 'pos'))
  await until('entries wait', async () => (await rig.redis.xlen(`log:${tag}`)) > 0 && (await lastEntry(tag)) > pos + 10)
  expect(await rig.redis.xdel(`log:${tag}`, `${pos + 5}-0`)).toBe(1)
  const { metrics } = await rig.startAggregator('one')
  await until('it is rewound', async () => (await metricOf(metrics.rewinds)) === 1)
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
  expect(await metricOf(metrics.missing)).toBe(0)

  async function lastEntry(of: string): Promise<number> {
    return Number(await rig.redis.hget(`heads:${of}`, 'seq'))
  }
})

test('a log that is deleted with entries that nobody has read is appended again', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const first = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await first.stop()
  await trade(rig, 5_000)
  for (const tag of await rig.tags()) await rig.redis.del(`log:${tag}`)
  const { metrics } = await rig.startAggregator('one')
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
  expect(await metricOf(metrics.rewinds)).toBeGreaterThan(0)
})

test('bars that fell behind the log are seen by the jump of trade ids, and nothing is taken for a hole of the exchange', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const first = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await first.stop()
  // An older state is put back by hand, while the position stays.
  const tag = tagIn(rig, 'BTCUSDT')
  const older = await rig.redis.hgetall(`state:${tag}:BTCUSDT`)
  const second = await rig.startAggregator('one')
  await trade(rig, 10_000)
  await second.stop()
  await rig.redis.hset(`state:${tag}:BTCUSDT`, older)
  const { metrics } = await rig.startAggregator('one')
  await trade(rig, MINUTE_MS)
  await expectBarsRight(rig)
  expect(await metricOf(metrics.missing)).toBe(0)
  expect(await metricOf(metrics.rewinds)).toBe(1)
})

test('a symbol whose state is lost is begun again, and the others stay as they are', async () => {
  await using rig = await openRig(server, { partitions: 1 })
  rig.startIngestor()
  const first = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await first.stop()
  await rig.redis.del('state:{p00}:ETHUSDT')
  await rig.startAggregator('one')
  const lostTime = rig.simulator.now()
  await trade(rig, 2 * MINUTE_MS)
  await expectBarsRight(rig, lostTime - (lostTime % MINUTE_MS) + MINUTE_MS)
})

test('a stop ends every connection and lets go of every partition', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const one = await rig.startAggregator('one')
  await untilReached(rig, 1)
  await untilOwnedBy(rig, ['one'])
  await one.stop()
  await until(
    'its connections are gone',
    async () => !/name=(aggregator|bar-queue)/.test(String(await rig.redis.client('LIST'))),
  )
  expect(new Set((await rig.owners()).values())).toEqual(new Set([null]))
  expect(await rig.redis.zrange('members:aggregator', '0', '-1')).toEqual([])
})
