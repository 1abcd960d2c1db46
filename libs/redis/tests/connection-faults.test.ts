import { redisCommand, startRedis, startRedisCluster } from '@chart/servers'
import { until } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import {
  appendEntry,
  checkRedisSettings,
  closeRedis,
  commitBars,
  KEPT_ENTRIES,
  openBarUpdates,
  openBlockingRedis,
  openRedis,
  readEntries,
  updatesChannel,
} from '../src/index.ts'
import { type FaultyLink, openFaultyLink } from './faulty-link.ts'
import { blockOf, claimed } from './traffic.ts'

/** What a connection does when its server does not answer, answers late, or refuses: it fails fast, runs once, and comes back. */

const TAG = '{p07}'

/** A Redis behind a link, as one server or as a cluster of one that tells the link's port for its own. */
async function serverBehindLink(kind: 'one server' | 'a cluster', stack: AsyncDisposableStack) {
  const link = stack.use(await openFaultyLink())
  if (kind === 'one server') {
    const server = stack.use(await startRedis())
    link.leadTo(server.port)
    return { link, server, url: `redis://127.0.0.1:${link.port}` }
  }
  const args = ['--cluster-announce-port', String(link.port)]
  const cluster = stack.use(await startRedisCluster({ masters: 1, redis: { args } }))
  const server = cluster.nodes[0]!
  link.leadTo(server.port)
  return { link, server, url: `redis+cluster://127.0.0.1:${link.port}` }
}

const epochOf = async (port: number) =>
  Number((await redisCommand(port, `HGET own:${TAG}:ingest epoch`)).split('\r\n')[1])

async function untilConnectedAnew(link: FaultyLink, before: number): Promise<void> {
  await until('a new connection is made', () => link.connections > before)
}

describe.each(['one server', 'a cluster'] as const)('with %s', kind => {
  test('a command whose reply is lost fails, has run once, and the next one works', async () => {
    await using stack = new AsyncDisposableStack()
    const { link, server, url } = await serverBehindLink(kind, stack)
    const redis = stack.adopt(await openRedis(url, 'test'), closeRedis)
    await claimed(redis, TAG, 'ingest')
    link.loseReplies()
    await expect(claimed(redis, TAG, 'ingest')).rejects.toThrow()
    await until('the next one works', async () => (await claimed(redis, TAG, 'ingest')) !== undefined)
    expect(await epochOf(server.port)).toBe(3)
  })

  test('a link that passes nothing any more is given up, and commands go on over a new one', async () => {
    await using stack = new AsyncDisposableStack()
    const { link, url } = await serverBehindLink(kind, stack)
    const redis = stack.adopt(await openRedis(url, 'test'), closeRedis)
    await claimed(redis, TAG, 'ingest')
    const before = link.connections
    link.stall()
    await expect(claimed(redis, TAG, 'ingest')).rejects.toThrow('timed out')
    await until('a command works', async () => (await claimed(redis, TAG, 'ingest')) !== undefined)
    await untilConnectedAnew(link, before)
  })

  test('a reader on such a link fails instead of taking the log for quiet', async () => {
    await using stack = new AsyncDisposableStack()
    const { link, url } = await serverBehindLink(kind, stack)
    const redis = stack.adopt(await openRedis(url, 'test'), closeRedis)
    const reader = stack.adopt(await openBlockingRedis(url, TAG, 200), closeRedis)
    expect(await readEntries(reader, TAG, 0, 10, 200)).toEqual([])
    link.stall()
    await expect(readEntries(reader, TAG, 0, 10, 200)).rejects.toThrow()
    await until('trades are appended', async () => {
      const claim = await claimed(redis, TAG, 'ingest')
      return (await appendEntry(redis, claim, [blockOf(undefined, [])])).kind === 'appended'
    })
    await until('they are read', async () => (await readEntries(reader, TAG, 0, 10, 200)).length > 0)
  })

  test('a subscriber on such a link finds out by itself, and says that updates may be missing', async () => {
    await using stack = new AsyncDisposableStack()
    const { link, server, url } = await serverBehindLink(kind, stack)
    const missed: string[] = []
    const heard: string[] = []
    const updates = stack.use(
      await openBarUpdates({
        url,
        name: 'test',
        onUpdate: (tag, bytes) => heard.push(`${tag} ${bytes}`),
        onReconnect: tags => missed.push(...tags),
      }),
    )
    await updates.subscribe(TAG)
    await redisCommand(server.port, `SPUBLISH ${updatesChannel(TAG)} one`)
    await until('it hears', () => heard.length === 1)
    link.stall()
    await redisCommand(server.port, `SPUBLISH ${updatesChannel(TAG)} lost`)
    await until('it has found out', () => missed.length > 0)
    expect(missed).toEqual([TAG])
    await redisCommand(server.port, `SPUBLISH ${updatesChannel(TAG)} two`)
    await until('it hears again', () => heard.length === 2)
    expect(heard).toEqual([`${TAG} one`, `${TAG} two`])
  })
})

test('a server that has become a replica is left, and what it refused is not sent again', async () => {
  await using server = await startRedis()
  const redis = await openRedis(server.url, 'test')
  await claimed(redis, TAG, 'ingest')
  const id = await redis.client('ID')
  await redisCommand(server.port, 'REPLICAOF 127.0.0.1 1')
  await expect(claimed(redis, TAG, 'ingest')).rejects.toThrow('READONLY')
  await until('it has connected again', async () => (await redis.client('ID')) !== id)
  await redisCommand(server.port, 'REPLICAOF NO ONE')
  await until('it works', async () => (await claimed(redis, TAG, 'ingest')) !== undefined)
  expect(await epochOf(server.port)).toBe(2)
  closeRedis(redis)
})

test('a server that reads its data back is waited for', async () => {
  // Each key takes half a millisecond; others are answered every 1,024 keys.
  await using server = await startRedis({ appendOnly: true, args: ['--key-load-delay', '500'] })
  const redis = await openRedis(server.url, 'test')
  await claimed(redis, TAG, 'ingest')
  await Promise.all(Array.from({ length: 4_096 }, (_, key) => redis.set(`key:${key}`, '')))
  await server.kill()
  const restarted = server.restart()
  await until('it is loading', async () => (await redisCommand(server.port, 'GET key:0')).startsWith('-LOADING'))
  await until('it works', async () => (await claimed(redis, TAG, 'ingest')) !== undefined)
  await restarted
  expect(await epochOf(server.port), 'the claim before is known').toBe(2)
  closeRedis(redis)
})

test('over maxmemory appends are refused while commits go on, and free what appends need', async () => {
  await using server = await startRedis()
  const redis = await openRedis(server.url, 'test')
  const reader = await openBlockingRedis(server.url, TAG, 200)
  const ingest = await claimed(redis, TAG, 'ingest')
  const aggregate = await claimed(redis, TAG, 'aggregate')
  await appendEntry(redis, ingest, [blockOf(undefined, [])])
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
  // Twice what a log keeps behind its position (1,000 entries), in entries of some 3 kB.
  await redis.config('SET', 'maxmemory', used + 6_000_000)
  let head = 0
  const append = async () => {
    const ids = Array.from({ length: 300 }, (_, index) => head + 1 + index)
    await appendEntry(redis, ingest, [blockOf(head, ids)])
    head += ids.length
  }
  const refusal = async () => {
    for (;;) await append()
  }
  await expect(refusal()).rejects.toThrow(/^OOM/)
  let at = { pos: 0, rev: 0 }
  for (;;) {
    const last = (await readEntries(reader, TAG, at.pos, 100, 200)).at(-1)
    if (last === undefined) break
    const batch = { at, newPos: last.n, nonce: last.nonce, symbols: [], update: Buffer.from('') }
    at = await commitBars(redis, aggregate, batch)
  }
  expect(at.pos).toBeGreaterThan(KEPT_ENTRIES)
  await append()
  closeRedis(reader)
  closeRedis(redis)
})

test('a Redis that stops between the connection and the look at its settings is named, with what to do', async () => {
  await using server = await startRedis()
  const redis = await openRedis(server.url, 'test')
  await server.kill('SIGSTOP')
  const where = `cannot reach Redis at 127.0.0.1:${server.port}: Command timed out; start it or set REDIS_URL`
  await expect(checkRedisSettings(redis)).rejects.toThrow(where)
  await server.kill('SIGCONT')
  closeRedis(redis)
})
