import { openBarQueue, pendingFieldOf, pendingKey } from '@chart/redis'
import { type RedisServer, startRedis } from '@chart/servers'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { PendingSweep, WAITING_JOBS_MAX } from '../src/sweep.ts'
import { expectBarsRight, metricOf, openRig, pendingBars, type Rig, tokenOf, trade, untilReached } from './rig.ts'

/** Closed bars on their way to PostgreSQL: whatever becomes of the queue, they stay in the outbox and are queued again. */

let server: RedisServer
let queueServer: RedisServer
beforeAll(async () => {
  ;[server, queueServer] = await Promise.all([startRedis(), startRedis()])
})
beforeEach(() => queueServer.restart())
afterEach(killApps)
afterAll(() => Promise.all([server.close(), queueServer.close()]))

const SWEEP_MS = 300

/** Fields of all bars that jobs carry. */
async function queuedFields({ redis }: Rig): Promise<Set<string>> {
  const ids = await redis.lrange('{bull}:bars:wait', 0, -1)
  const jobs = await Promise.all(ids.map(id => redis.hget(`{bull}:bars:${id}`, 'data')))
  return new Set(jobs.flatMap(data => JSON.parse(data!).entries.map(([field]: [string]) => field)))
}

async function pendingFields(rig: Rig): Promise<string[]> {
  return (await Promise.all((await rig.tags()).map(tag => rig.redis.hkeys(pendingKey(tag))))).flat()
}

/** Every bar of the outbox, as it is now, is carried by a job. */
async function untilAllQueued(rig: Rig): Promise<void> {
  const fields = await pendingFields(rig)
  expect(fields.length).toBeGreaterThan(0)
  await until('all are queued', async () => {
    const queued = await queuedFields(rig)
    return fields.every(field => queued.has(field))
  })
}

test('a bar that closes is queued with its commit', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const { metrics } = await rig.startAggregator('one', { sweepMs: 600_000 })
  await untilReached(rig, 1)
  await trade(rig, 5_000)
  await untilAllQueued(rig)
  expect(await metricOf(metrics.swept)).toBe(0)
})

test('bars whose jobs were lost are queued again by the sweep, and none that is not in the outbox', async () => {
  await using rig = await openRig(server)
  const ingestor = rig.startIngestor()
  const { metrics } = await rig.startAggregator('one', { sweepMs: SWEEP_MS })
  await untilReached(rig, 1)
  await trade(rig, 5_000)
  ingestor.child.kill('SIGTERM')
  await ingestor.exited
  await untilAllQueued(rig)
  const [confirmed] = (await pendingBars(rig, 'BTCUSDT')).values()
  const tag = (await rig.redis.hget('symbols', 'BTCUSDT'))!
  await rig.redis.hdel(pendingKey(tag), pendingFieldOf(confirmed!))
  await rig.redis.del(await rig.redis.keys('{bull}*'))
  await untilAllQueued(rig)
  expect(await queuedFields(rig)).not.toContain(pendingFieldOf(confirmed!))
  expect(await metricOf(metrics.swept)).toBeGreaterThan(0)
  expect(await metricOf(metrics.pending)).toBe((await pendingFields(rig)).length)
})

test('bars that an owner committed and never queued are queued by the next one', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const doomed = rig.runAggregator('doomed')
  await untilReached(rig, 1)
  await trade(rig, 5_000)
  doomed.child.kill('SIGKILL')
  await rig.redis.del(await rig.redis.keys('{bull}*'))
  await rig.startAggregator('next', { sweepMs: SWEEP_MS })
  await untilAllQueued(rig)
})

test('above a bound of waiting jobs nothing is queued, and the outbox is worked off when there is room', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const { queue, metrics } = await rig.startAggregator('one', { sweepMs: SWEEP_MS })
  await untilReached(rig, 1)
  const full = Array.from({ length: 100 * (WAITING_JOBS_MAX + 1) }, (_, index): [string, string] => [`x${index}`, '{}'])
  await queue.enqueue('{p99}', 'full', full)
  await until('it is noticed', async () => {
    const before = await queue.waitingCount()
    await trade(rig, 10_000)
    return (await queue.waitingCount()) === before
  })
  await rig.redis.del(await rig.redis.keys('{bull}*'))
  await untilAllQueued(rig)
  expect(await metricOf(metrics.swept)).toBeGreaterThan(0)
})

test('a bar whose turn came while nothing could be queued is queued as soon as there is room, and once', async () => {
  await using rig = await openRig(server)
  await using queue = openBarQueue({ url: queueServer.url })
  await rig.redis.hset(pendingKey('{p99}'), 'BTCUSDT|1s|0', 'a bar')
  const sweep = new PendingSweep()
  const queuedAt = async (canQueue: boolean) => (await sweep.sweep(rig.redis, queue, '{p99}', canQueue)).queued
  // The first sweep sees it; its turns would be after 1, 2 and 4 more, the next one after 8.
  for (let sweeps = 0; sweeps <= 5; sweeps++) expect(await queuedAt(false)).toBe(0)
  expect(await queuedAt(true)).toBe(1)
  expect(await queuedAt(true)).toBe(0)
  expect(await queuedAt(true)).toBe(1)
})

test("a queue's Redis that is away costs neither bars nor partitions, and gets its jobs when it is back", async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const options = { sweepMs: SWEEP_MS, queueUrl: queueServer.url }
  const { queue } = await rig.startAggregator('doomed', options)
  await rig.startAggregator('steady', options)
  await untilReached(rig, 1)
  await queueServer.kill()
  await trade(rig, 30_000)
  const tokens = await Promise.all((await rig.tags()).map(tag => tokenOf(rig, tag)))
  await trade(rig, 60_000)
  expect(await Promise.all((await rig.tags()).map(tag => tokenOf(rig, tag)))).toEqual(tokens)
  await expectBarsRight(rig)
  await queueServer.restart()
  await until('jobs are there', async () => (await queue.waitingCount()) > 0)
})
