import { type RedisServer, startRedis } from '@chart/servers'
import { until } from '@chart/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBarQueue, openBarQueueView, type PendingEntry, workBarQueue } from '../src/index.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

const silent = { warn() {}, error() {} }
const ENTRIES: PendingEntry[] = [
  ['BTCUSDT|1m|60000', '{}'],
  ['ETHUSDT|1m|60000', '{}'],
]

/** A worker that refuses the first entry of each job, or none. */
function work(refuses: boolean) {
  const stop = new AbortController()
  const done = workBarQueue({
    url: server.url,
    concurrency: 1,
    handle: async ({ entries }) =>
      refuses ? { entries: entries.slice(0, 1), reason: 'open is above high' } : undefined,
    isTemporary: () => false,
    retryDelayMs: 100,
    log: silent,
    signal: stop.signal,
  })
  return async () => {
    stop.abort()
    await done
  }
}

test('looking at a queue that nobody has used writes nothing', async () => {
  await using view = openBarQueueView({ url: server.url })
  expect(await view.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
  expect(await view.failed(10)).toEqual([])
  const redis = new Redis(server.url)
  expect(await redis.dbsize()).toBe(0)
  redis.disconnect()
})

test('what waits and what failed is counted, with the bars and the reason; tried again, it is done', async () => {
  await using queue = openBarQueue({ url: server.url })
  await using view = openBarQueueView({ url: server.url })
  await queue.enqueue('{p01}', 'first', ENTRIES)
  expect(await view.counts()).toEqual({ waiting: 1, active: 0, delayed: 0, failed: 0 })
  const stopRefusing = work(true)
  await until('it has failed', async () => (await view.counts()).failed === 1)
  await stopRefusing()
  const [job, ...more] = await view.failed(10)
  expect(more).toEqual([])
  expect(job).toMatchObject({ id: 'p01-first-0', reason: 'open is above high', fields: ['BTCUSDT|1m|60000'] })
  expect(job!.failedTime).toBeGreaterThan(Date.now() - 60_000)
  await view.retryFailed()
  expect(await view.counts()).toMatchObject({ waiting: 1, failed: 0 })
  const stopTaking = work(false)
  await until('nothing is left', async () => Object.values(await view.counts()).every(count => count === 0))
  await stopTaking()
})

test('a Redis that refuses the password is told as one', async () => {
  const url = server.url.replace('redis://', 'redis://:wrong@')
  const redis = new Redis(server.url)
  await redis.config('SET', 'requirepass', 'right')
  await using view = openBarQueueView({ url })
  await expect(view.counts()).rejects.toThrow(/no connection in \d+ ms: WRONGPASS /)
  await redis.config('SET', 'requirepass', '')
  redis.disconnect()
})
