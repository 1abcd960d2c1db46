import { startRedis, startRedisCluster } from '@chart/servers'
import { until } from '@chart/testkit'
import type { Cluster } from 'ioredis'
import { expect, test } from 'vitest'
import { createClient, failFast } from '../src/client.ts'
import { closeRedis, openRedis } from '../src/connection.ts'

/**
 * A socket of TLS may tell two errors: the certificate of the server is not taken, and the server answers to that with an alert. The second
 * comes at a moment that no test can command, so it is made here.
 */

const failTwice = (stream: NodeJS.EventEmitter) => {
  stream.emit('error', new Error('the first'))
  stream.emit('error', new Error('the second'))
}

test('two errors of one socket are no end of the process, and the client goes on', async () => {
  await using stack = new AsyncDisposableStack()
  const server = stack.adopt(await startRedis(), started => started.close())
  const redis = stack.adopt(createClient(server.url, '', failFast()), closeRedis)
  await until('it is connected', () => redis.status === 'ready')
  failTwice(redis.stream)
  await until('it answers', async () => (await redis.ping()) === 'PONG')
})

test('the same in a cluster', async () => {
  await using servers = await startRedisCluster({ masters: 3 })
  const cluster = (await openRedis(servers.url, 'test')) as unknown as Cluster
  try {
    for (const { stream } of cluster.nodes('master')) if (stream) failTwice(stream)
    await until('it answers', async () => (await cluster.set('{a}', '1')) === 'OK')
    expect(await cluster.get('{a}')).toBe('1')
  } finally {
    closeRedis(cluster)
  }
})
