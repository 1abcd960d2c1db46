import { PATIENT, until } from '@chart/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AUDIT_LEASE_KEY,
  appendEntry,
  type Claim,
  claimPartition,
  closeRedis,
  feedLeaseKey,
  heartbeat,
  leave,
  openLeaderLock,
  openRedis,
  pendingKey,
  type RedisConnection,
  readServiceStatus,
  registerSymbols,
  type ServiceStatus,
  tagOf,
} from '../src/index.ts'
import { readLease } from '../src/leader-lock.ts'
import { startTopology, type Topology, type TopologyName } from './topology.ts'
import { blockOf, SYMBOL } from './traffic.ts'

/** What an operator is told, after members have done in Redis what they do. */

const PARTITIONS = 4
const TAG = tagOf(SYMBOL, PARTITIONS)
const LEASE_MS = 60_000
const INFO = { status: 'TRADING', tickSize: '0.01', stepSize: '1', priceScale: 8, quantityScale: 8, quoteScale: 8 }

describe.each<TopologyName>(['one server', 'Sentinel', 'a cluster'])('on %s', name => {
  let topology: Topology
  let redis: RedisConnection
  beforeAll(async () => {
    topology = await startTopology(name)
    redis = await openRedis(topology.url, 'test', PATIENT)
  })
  afterAll(async () => {
    if (redis) closeRedis(redis)
    await topology?.[Symbol.asyncDispose]()
  })

  const status = () => readServiceStatus(redis)
  const partition = async () => (await status()).partitions.find(({ tag }) => tag === TAG)!
  const claim = async (work: Claim['work'], owner: string, shard?: number) =>
    (await claimPartition(redis, {
      ...{ tag: TAG, work, owner, leaseMs: LEASE_MS, force: true },
      ...(shard !== undefined && { shard }),
    }))!

  test('an empty Redis has nothing to tell but its memory', async () => {
    const { servers, time, ...rest } = await status()
    expect(rest).toEqual({
      ...{ ingestors: [], aggregators: [], shards: [], partitions: [], symbols: [] },
      audit: undefined,
    } satisfies Omit<ServiceStatus, 'servers' | 'time'>)
    expect(servers.length).toBe(name === 'a cluster' ? 3 : 1)
    const ports = topology.servers.map(({ port }) => `127.0.0.1:${port}`)
    for (const { place, usedBytes, maxBytes, policy } of servers) {
      expect(ports).toContain(place)
      expect(usedBytes).toBeGreaterThan(100_000)
      expect([maxBytes, policy]).toEqual([0, 'noeviction'])
    }
  })

  test('who leads, who owns, who is in line, and how the feeds are', async () => {
    await registerSymbols(redis, [{ ...INFO, symbol: SYMBOL, simulated: true }], PARTITIONS)
    for (const member of ['ingestor-1', 'ingestor-2']) await heartbeat(redis, 'ingestor', member)
    await heartbeat(redis, 'aggregator', 'aggregator-1')
    await using lock = openLeaderLock({ url: topology.url, key: feedLeaseKey(1), holder: 'ingestor-2' })
    await using audit = openLeaderLock({ url: topology.url, key: AUDIT_LEASE_KEY, holder: 'auditor:of-a-pod' })
    await until('it leads', () => lock.acquire())
    await until('it leads the audit', () => audit.acquire())
    const ingest = await claim('ingest', 'ingestor-2', 1)
    await appendEntry(redis, ingest, [blockOf(undefined, [])])
    await appendEntry(redis, ingest, [blockOf(0, [1, 2])])
    await claim('aggregate', 'aggregator-1')
    const found = await status()
    expect(found.shards).toMatchObject([{ shard: 1, lease: { holder: 'ingestor-2' }, tags: [TAG] }])
    expect([...found.shards[0]!.line].sort()).toEqual(['ingestor-1', 'ingestor-2'])
    expect(found.audit).toMatchObject({ holder: 'auditor:of-a-pod' })
    expect(found.audit!.leftMs).toBeLessThanOrEqual(1_500)
    expect(found.partitions).toMatchObject([
      {
        ...{ tag: TAG, symbols: [SYMBOL], shard: 1, line: ['aggregator-1'] },
        ingest: { owner: 'ingestor-2', epoch: 1 },
        aggregate: { owner: 'aggregator-1', epoch: 1 },
        isOwned: true,
      },
    ])
    expect(found.symbols).toMatchObject([
      { symbol: SYMBOL, tag: TAG, state: 'live', status: 'TRADING', simulated: true, lastTradeId: 2 },
    ])
  })

  test('a name is no right: of two with one name the second does not get the lease, prolong it or give it back', async () => {
    const key = feedLeaseKey(2)
    await using first = openLeaderLock({ url: topology.url, key, holder: 'ingestor:of-a-pod é' })
    await using second = openLeaderLock({ url: topology.url, key, holder: 'ingestor:of-a-pod é' })
    await until('it leads', () => first.acquire())
    await until('the second sees it', async () => (await second.isFree()) === false)
    expect([await second.acquire(), await second.extend()]).toEqual([false, false])
    await second.release()
    expect(await first.extend()).toBe(true)
    // A lease that was taken is another's, though its value ends with the same name.
    expect(await second.take()).toBe(true)
    await first.release()
    expect(await readLease(redis, key)).toMatchObject({ holder: 'ingestor:of-a-pod é' })
  })

  test('a lease of a former release names nobody, and is as good as any', async () => {
    const key = feedLeaseKey(3)
    await using former = openLeaderLock({ url: topology.url, key })
    await using current = openLeaderLock({ url: topology.url, key, holder: 'ingestor-2' })
    await until('it leads', () => former.acquire())
    expect(await readLease(redis, key)).toMatchObject({ holder: undefined })
    await until('the other sees it', async () => (await current.isFree()) === false)
    expect(await current.acquire()).toBe(false)
    await former.release()
    expect(await current.acquire()).toBe(true)
    expect(await readLease(redis, key)).toMatchObject({ holder: 'ingestor-2' })
  })

  test('a leader that dies: its lease runs out, and it is no longer counted as living', async () => {
    const lock = openLeaderLock({ url: topology.url, key: feedLeaseKey(1), holder: 'ingestor-1' })
    await heartbeat(redis, 'ingestor', 'ingestor-1')
    await until('it leads', () => lock.acquire())
    expect((await status()).shards[0]!.lease?.holder).toBe('ingestor-1')
    // It says nothing any more, and gives nothing back: its lease ends by itself.
    await until('nobody leads', async () => (await status()).shards[0]!.lease === undefined)
    await until('it is not in line', async () => (await status()).shards[0]!.line.length === 0)
    const { ingestors } = await status()
    expect(ingestors.find(({ name }) => name === 'ingestor-1')).toMatchObject({ isAlive: false })
    for (const { name } of ingestors) await leave(redis, 'ingestor', name)
    await lock[Symbol.asyncDispose]()
  })

  test('an owner that stands still: the log grows, its position does not', async () => {
    const ingest = await claim('ingest', 'ingestor-1', 1)
    const before = await partition()
    for (const id of [3, 4, 5]) await appendEntry(redis, ingest, [blockOf(id - 1, [id])])
    const after = await partition()
    expect(after).toMatchObject({ position: before.position, seq: before.seq + 3, logEntries: before.logEntries + 3 })
    expect(after.ingest).toEqual({ owner: 'ingestor-1', epoch: 2 })
  })

  test('a partition whose owner is gone names the last one', async () => {
    await claimPartition(redis, { tag: TAG, work: 'aggregate', owner: 'short', leaseMs: 1, force: true })
    await until('its lease has run out', async () => !(await partition()).isOwned)
    expect((await partition()).aggregate).toMatchObject({ owner: 'short' })
  })

  test('bars that PostgreSQL does not have are counted, with the end of the oldest', async () => {
    await redis.hset(pendingKey(TAG), { 'AAA|1m|60000': '{}', 'AAA|5m|300000': '{}', 'AAA|1h|0': '{}' })
    expect(await partition()).toMatchObject({ pending: 3, oldestPendingTime: 120_000 })
  })
})

test('a Redis that is away is an error, not an empty service', async () => {
  const topology = await startTopology('one server')
  const redis = await openRedis(topology.url, 'test', PATIENT)
  await topology[Symbol.asyncDispose]()
  await expect(readServiceStatus(redis)).rejects.toThrow()
  closeRedis(redis)
})
