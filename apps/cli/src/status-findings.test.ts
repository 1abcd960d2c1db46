import { expect, test } from 'vitest'
import { lookOf, NOW } from './status.testing.ts'
import { findingsOf, lastingFindings } from './status-findings.ts'

const texts = (...args: Parameters<typeof lookOf>) => findingsOf(lookOf(...args)).map(({ text }) => text)
const dead = (name: string) => ({ name, ageMs: 90_000, isAlive: false })
const server = { place: 'r:6379', usedBytes: 480 * 2 ** 20, maxBytes: 512 * 2 ** 20, policy: 'noeviction' }
const feed = lookOf().status.symbols[0]!

test('a service that is well has no findings', () => {
  expect(texts()).toEqual([])
})

test.each<[string, Parameters<typeof lookOf>[0], string]>([
  [
    'a leader that died',
    { shards: [{ shard: 0, lease: undefined, line: ['ingestor-2'], tags: ['{p07}'] }] },
    'feed shard 0 has no leader (ingestor-2 is next in line): BTCUSDT get no trades',
  ],
  [
    'a partition without an owner',
    { partition: { isOwned: false, seq: 5_010 } },
    'partition {p07} (BTCUSDT) belongs to no aggregator, the last was aggregator-1; 10 log entries wait',
  ],
  [
    'a log that has grown beyond its bars',
    { partition: { seq: 5_003 } },
    'partition {p07} (BTCUSDT) stands still: aggregator-1 is 3 log entries behind',
  ],
  [
    'a feed that is stale, but not one that the exchange has halted',
    {
      symbols: [
        { ...feed, state: 'halted' },
        { ...feed, symbol: 'ETHUSDT', state: 'stale' },
        { ...feed, symbol: 'A', state: undefined },
      ],
    },
    '2 of 3 feeds are not live: ETHUSDT stale, A never heard',
  ],
  [
    'bars that wait for PostgreSQL for long',
    { partition: { pending: 35, oldestPendingTime: NOW - 181_000 } },
    '35 closed bars not yet in PostgreSQL, the oldest for 3 min: does a persister run, and PostgreSQL answer?',
  ],
  ['failed jobs', { failed: 2 }, '2 jobs failed: "npx chart queue" tells why, and tries again'],
  ['no auditor', { audit: undefined }, "no auditor is at work: stored bars are not compared with the exchange's"],
  [
    'a Redis that fills up',
    { servers: [server] },
    'Redis r:6379 is 94 % full (512 MB): at its limit it refuses trades',
  ],
  [
    'a Redis that may evict',
    { servers: [{ ...server, usedBytes: 1, policy: 'allkeys-lru' }] },
    'Redis r:6379 may delete trades: set maxmemory-policy to noeviction, not allkeys-lru',
  ],
])('%s is found', (_, over, text) => {
  expect(texts(over)).toEqual([text])
})

test('where nobody lives to do it, that alone is said of feeding and folding', () => {
  const still = { partition: { isOwned: false, seq: 6_500 } }
  const fed = {
    shards: [{ shard: 0, lease: undefined, line: [], tags: ['{p07}'] }],
    symbols: [{ ...feed, state: 'stale' }],
  }
  expect(texts({ ...still, aggregators: [dead('aggregator-1')] })).toEqual([
    'no aggregator is running: bars stand still',
  ])
  expect(texts({ ...fed, ingestors: [] })).toEqual(['no ingestor is running: nothing comes in from the exchange'])
})

test('an empty Redis is told as one', () => {
  const { status, queue } = lookOf({ symbols: [], shards: [], ingestors: [] })
  const [first] = findingsOf({ status: { ...status, partitions: [] }, queue })
  expect(first!.text).toBe('no symbol is served: no ingestor has begun on this Redis')
})

test('bars that have just closed wait for a moment, by the clock of the exchange', () => {
  expect(texts({ partition: { pending: 3, oldestPendingTime: NOW - 2_000 } })).toEqual([])
  // An exchange whose clock runs ahead of ours by a day, as a simulated one may.
  const ahead = [{ ...feed, watermark: NOW + 86_400_000 }]
  expect(texts({ symbols: ahead, partition: { pending: 3, oldestPendingTime: NOW } })).toHaveLength(1)
})

test('what a second look does not find again was under way', () => {
  const lasting = (first: Parameters<typeof lookOf>[0], second: Parameters<typeof lookOf>[0]) =>
    lastingFindings(findingsOf(lookOf(second)), findingsOf(lookOf(first))).map(({ text }) => text)
  expect(lasting({ audit: undefined }, {})).toEqual([])
  expect(lasting({}, { audit: undefined })).toEqual([])
  expect(lasting({ audit: undefined }, { audit: undefined })).toHaveLength(1)
})

test('an owner that comes on is not one that stands still, and one that is far behind is found although it comes on', () => {
  const lasting = (first: object, second: object) =>
    lastingFindings(findingsOf(lookOf({ partition: second })), findingsOf(lookOf({ partition: first }))).map(
      ({ text }) => text,
    )
  expect(lasting({ seq: 5_004, position: 5_000 }, { seq: 5_009, position: 5_008 })).toEqual([])
  expect(lasting({ seq: 5_004, position: 5_000 }, { seq: 5_009, position: 5_000 })).toEqual([
    'partition {p07} (BTCUSDT) stands still: aggregator-1 is 9 log entries behind',
  ])
  expect(lasting({ seq: 9_000, position: 5_000 }, { seq: 9_500, position: 5_100 })).toEqual([
    'partition {p07} (BTCUSDT) is 4400 log entries behind',
  ])
})

test('a full Redis stands before what comes of it: it takes no leases', () => {
  const full = { servers: [server], audit: undefined }
  const unled = { shards: [{ shard: 0, lease: undefined, line: ['ingestor-2'], tags: ['{p07}'] }] }
  const found = texts({ ...full, ...unled })
  expect(found).toHaveLength(3)
  expect(found[0]).toMatch(/^Redis r:6379 is 94 % full/)
})
