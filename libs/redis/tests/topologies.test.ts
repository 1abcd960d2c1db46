import { redisCommand } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ackPending,
  appendEntry,
  checkRedisSettings,
  closeRedis,
  commitBars,
  FencedError,
  feedLeaseKey,
  heartbeat,
  leave,
  loadPartition,
  openBarQueue,
  openBarUpdates,
  openBlockingRedis,
  openLeaderLock,
  openRedis,
  partitionTag,
  pendingKey,
  type RedisConnection,
  readEntries,
  readFeedStatus,
  readHeads,
  readLiveBars,
  readSymbolInfos,
  readSymbols,
  registerSymbols,
  renewPartition,
  rewindLog,
  scanPending,
  workBarQueue,
} from '../src/index.ts'
import { startTopology, type Topology, type TopologyName } from './topology.ts'
import { blockOf, claimed, SYMBOL } from './traffic.ts'

/** Every script, every read and every connection, on each way to run Redis. */

/** Enough that each of three masters has some. */
const TAGS = Array.from({ length: 8 }, (_, index) => partitionTag(index))

describe.each<TopologyName>(['one server', 'Sentinel', 'a cluster'])('on %s', name => {
  let topology: Topology
  let redis: RedisConnection
  beforeAll(async () => {
    topology = await startTopology(name)
    redis = await openRedis(topology.url, 'test')
  })
  afterAll(async () => {
    if (redis) closeRedis(redis)
    await topology?.[Symbol.asyncDispose]()
  })

  test('the settings are found right, and a server that may evict is refused', async () => {
    await checkRedisSettings(redis)
    const master = await topology.masterOf(TAGS[0]!)
    await redisCommand(master.port, 'CONFIG SET maxmemory-policy allkeys-lru')
    await expect(checkRedisSettings(redis)).rejects.toThrow('maxmemory-policy allkeys-lru')
    await redisCommand(master.port, 'CONFIG SET maxmemory-policy noeviction')
  })

  test('trades go into the log, out of it and into a commit, whose update is heard', async () => {
    const heard = new Map<string, string>()
    await using updates = await openBarUpdates({
      url: topology.url,
      name: 'test',
      onUpdate: (tag, bytes) => heard.set(tag, bytes.toString()),
      onReconnect() {},
    })
    for (const tag of TAGS) {
      await updates.subscribe(tag)
      const reader = await openBlockingRedis(topology.url, tag, 1_000)
      const waiting = readEntries(reader, tag, 0, 10, 10_000)
      const ingest = await claimed(redis, tag, 'ingest')
      expect(await appendEntry(redis, ingest, [blockOf(undefined, [])])).toEqual({ kind: 'appended', n: 1 })
      expect((await waiting).map(({ n }) => n)).toEqual([1])
      expect(await appendEntry(redis, ingest, [blockOf(0, [1, 2])])).toEqual({ kind: 'appended', n: 2 })
      expect(await appendEntry(redis, ingest, [blockOf(0, [1])])).toMatchObject({ kind: 'mismatch' })
      expect(await readHeads(redis, tag, [SYMBOL])).toEqual(new Map([[SYMBOL, 2]]))
      const [entry] = await readEntries(reader, tag, 1, 10, 1_000)
      closeRedis(reader)
      const claim = await claimed(redis, tag, 'aggregate')
      const batch = { at: { pos: 0, rev: 0 }, newPos: 2, nonce: entry!.nonce, symbols: [], update: Buffer.from(tag) }
      expect(await commitBars(redis, claim, batch)).toEqual({ pos: 2, rev: 1 })
      // As after a lost reply.
      expect(await commitBars(redis, claim, batch)).toEqual({ pos: 2, rev: 1 })
    }
    await until('every update is heard', () => heard.size === TAGS.length)
    expect([...heard].filter(([tag, text]) => tag !== text)).toEqual([])
  })

  test('owners are fenced, logs rewound, outboxes emptied, members counted', async () => {
    const tag = TAGS[1]!
    const old = await claimed(redis, tag, 'aggregate')
    const claim = await claimed(redis, tag, 'aggregate')
    await expect(renewPartition(redis, old, 1_000)).rejects.toThrow(FencedError)
    await renewPartition(redis, claim, 1_000)
    const before = (await loadPartition(redis, tag, [], [])).at
    await rewindLog(redis, claim, [SYMBOL])
    expect((await loadPartition(redis, tag, [], [])).at.rev).toBe(before.rev + 1)
    await redis.hset(pendingKey(tag), { field: 'value' })
    for await (const entries of scanPending(redis, tag, 10)) expect(entries).toEqual([['field', 'value']])
    expect(await ackPending(redis, tag, [['field', 'value']])).toBe(1)
    expect(await heartbeat(redis, 'test', 'one')).toEqual(['one'])
    expect(await heartbeat(redis, 'test', 'two')).toEqual(['one', 'two'])
    await leave(redis, 'test', 'one')
    expect(await heartbeat(redis, 'test', 'two')).toEqual(['two'])
  })

  test('symbols, feeds and live bars are read across partitions', async () => {
    const symbols = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE']
    const info = {
      status: 'TRADING',
      tickSize: '1',
      stepSize: '1',
      simulated: false,
      priceScale: 0,
      quantityScale: 0,
      quoteScale: 0,
    }
    const infos = symbols.map(symbol => ({ symbol, ...info }))
    await registerSymbols(redis, infos, 32)
    const served = [...(await readSymbols(redis))].map(([symbol, tag]) => ({ symbol, tag }))
    expect(new Set(served.map(({ symbol }) => symbol))).toEqual(new Set(symbols))
    expect(await readSymbolInfos(redis, served)).toEqual(served.map(({ symbol }) => ({ symbol, ...info })))
    expect((await readFeedStatus(redis, served)).map(({ symbol }) => symbol)).toEqual(served.map(one => one.symbol))
    expect(await readLiveBars(redis, served[0]!.tag, 'AAA', ['1m', '1h'])).toEqual([undefined, undefined])
  })

  test('scripts work again after every server has forgotten them', async () => {
    for (const server of topology.servers) await redisCommand(server.port, 'SCRIPT FLUSH')
    for (const tag of TAGS) expect((await claimed(redis, tag, 'ingest')).tag).toBe(tag)
  })

  test('one holds the lease, and the next has it when it is given back', async () => {
    await using one = openLeaderLock({ url: topology.url, key: feedLeaseKey(3) })
    await using other = openLeaderLock({ url: topology.url, key: feedLeaseKey(3) })
    await until('it is held', () => one.acquire())
    expect(await other.acquire()).toBe(false)
    expect(await one.extend()).toBe(true)
    await one.release()
    expect(await other.acquire()).toBe(true)
  })

  test('queued entries reach a worker, which goes on after its Redis was lost', async () => {
    const handled: string[] = []
    const stop = new AbortController()
    const work = workBarQueue({
      url: topology.url,
      concurrency: 1,
      handle: async ({ entries }) => void handled.push(...entries.map(([field]) => field)),
      isTemporary: () => false,
      retryDelayMs: 100,
      log: { warn() {}, error() {} },
      signal: stop.signal,
    })
    await using queue = openBarQueue({ url: topology.url })
    await queue.enqueue(TAGS[2]!, 'a', [['first', '']])
    await until('the first is handled', () => handled.includes('first'))
    // Of one server the same process comes back, empty; of the others a replica takes its place.
    const master = await topology.masterOf('{bull}')
    if (name === 'one server') await master.restart()
    else await master.kill()
    await until('another is queued', () =>
      queue.enqueue(TAGS[2]!, 'b', [['second', '']]).then(
        () => true,
        () => false,
      ),
    )
    await until('it is handled', () => handled.includes('second'))
    expect(await queue.waitingCount()).toBe(0)
    stop.abort()
    await work
  })
})

test.each<[string, TopologyName, (url: string) => string, string]>([
  ['a cluster node as one server', 'a cluster', plainUrl, 'its URL begins with redis+cluster://'],
  ['a Sentinel as one server', 'Sentinel', plainUrl, 'its URL begins with redis+sentinel://'],
])('%s is refused, with the form that its URL needs', async (_, name, urlOf, message) => {
  await using topology = await startTopology(name)
  const redis = await openRedis(urlOf(topology.url), 'test')
  await expect(checkRedisSettings(redis)).rejects.toThrow(message)
  closeRedis(redis)
})

/** The first host of a URL as that of one server. */
function plainUrl(url: string): string {
  return `redis://${/\/\/([^,/]+)/.exec(url)![1]}`
}
