import { type RedisServer, startRedis, startRedisCluster } from '@chart/servers'
import { until } from '@chart/testkit'
import type { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, failFast } from '../src/client.ts'
import { closeRedis, openRedis } from '../src/connection.ts'

/** What is sent in one turn of the event loop leaves in one write. */

let server: RedisServer
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  redis = createClient(server.url, '', failFast())
  await until('it is connected', () => redis.status === 'ready')
})
afterAll(async () => {
  closeRedis(redis)
  await server.close()
})

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

test('commands of one turn are written when it ends, and answered in their order', async () => {
  const answers = [redis.incr('n'), redis.incr('n'), redis.incr('n')]
  expect(redis.stream.writableCorked).toBe(1)
  await nextTurn()
  expect(redis.stream.writableCorked).toBe(0)
  expect(await Promise.all(answers)).toEqual([1, 2, 3])
})

test('a command that is large waits for no other, and takes along those before it', async () => {
  const answers = [redis.set('small', '1'), redis.set('large', Buffer.alloc(20_000))]
  expect(redis.stream.writableCorked).toBe(0)
  const more = redis.get('small')
  expect(redis.stream.writableCorked).toBe(1)
  expect(await Promise.all([...answers, more])).toEqual(['OK', 'OK', '1'])
})

test('what was gathered when the connection ends fails, and a new connection gathers again', async () => {
  const lost = redis.get('small')
  redis.stream.destroy()
  await expect(lost).rejects.toThrow('max retries')
  await until('it is connected again', () => redis.status === 'ready')
  const answer = redis.get('small')
  expect(redis.stream.writableCorked).toBe(1)
  expect(await answer).toBe('1')
})

test('a cluster gathers for each of its nodes', async () => {
  await using servers = await startRedisCluster({ masters: 3 })
  const cluster = (await openRedis(servers.url, 'test')) as unknown as Cluster
  try {
    const answers = ['{a}', '{b}', '{c}', '{d}'].map(key => cluster.set(key, key))
    expect(cluster.nodes('master').filter(({ stream }) => stream?.writableCorked === 1).length).toBeGreaterThan(1)
    expect(await Promise.all(answers)).toEqual(['OK', 'OK', 'OK', 'OK'])
  } finally {
    closeRedis(cluster)
  }
})
