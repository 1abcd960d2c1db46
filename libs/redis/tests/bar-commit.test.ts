import {
  applyTrade,
  EXCHANGE_SCALES,
  intervalsOf,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type SymbolBars,
  type Trade,
  textOfBar,
} from '@chart/market'
import { type RedisServer, startRedis } from '@chart/servers'
import { PATIENT } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  ackPending,
  appendEntry,
  BAR_FIELDS,
  type BarBatch,
  type Claim,
  CommitConflictError,
  claimPartition,
  closeRedis,
  commitBars,
  countPending,
  FencedError,
  loadPartition,
  openBarUpdates,
  openRedis,
  type PartitionPosition,
  pendingFieldOf,
  pendingValueOf,
  type RedisConnection,
  readLiveBars,
  rewindLog,
  type WrittenBars,
} from '../src/index.ts'

const INTERVALS = intervalsOf(['1s', '1m'])
const MINUTE_START = 1_723_161_240_000

let server: RedisServer
let redis: RedisConnection

beforeAll(async () => {
  server = await startRedis()
  redis = await openRedis(server.url, 'test', PATIENT)
})

afterAll(async () => {
  closeRedis(redis)
  await server.close()
})

let partitions = 0

/** A partition with a log of `count` entries, each one trade of AAA a second apart, and the claim to fold it. */
async function partitionWith(count: number): Promise<{ claim: Claim; ingest: Claim; trades: Trade[] }> {
  const tag = `{t${partitions++}}`
  const ingest = await claimed(tag, 'ingest', 'writer')
  const claim = await claimed(tag, 'aggregate', 'one')
  const trades = Array.from({ length: count }, (_, index) => tradeOf(index + 1))
  const rest = {
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: 'live',
  } as const
  for (const trade of trades) {
    const seed = { lastTradeId: 0, sinceTime: MINUTE_START, scales: EXCHANGE_SCALES }
    const expectedTradeId = trade.tradeId - 1
    if (trade.tradeId === 1) {
      await appendEntry(redis, ingest, [{ symbol: 'AAA', expectedTradeId: undefined, seed, trades: [], ...rest }])
    }
    await appendEntry(redis, ingest, [{ symbol: 'AAA', expectedTradeId, trades: [trade], ...rest }])
  }
  return { claim, ingest, trades }
}

async function claimed(tag: string, work: 'ingest' | 'aggregate', owner: string): Promise<Claim> {
  const claim = await claimPartition(redis, { tag, work, owner, leaseMs: 60_000, force: true })
  if (claim === undefined) throw new Error('a forced claim was refused')
  return claim
}

function tradeOf(tradeId: number): Trade {
  return { tradeId, tradeTime: MINUTE_START + tradeId * 1_000, price: 100n, quantity: 5n, takerSide: 'buy' }
}

function newBars(): SymbolBars {
  return newSymbolBars('AAA', INTERVALS, EXCHANGE_SCALES, 0, MINUTE_START)
}

async function nonceOf(tag: string, n: number): Promise<string> {
  const [entry] = await redis.xrange(`log:${tag}`, `${n}-0`, `${n}-0`)
  return entry?.[1]?.[1] ?? 'gone'
}

/** The batch that folds `trades` from `at` to entry `newPos`. */
async function batchOf(
  tag: string,
  at: PartitionPosition,
  newPos: number,
  bars: SymbolBars,
  trades: readonly Trade[],
): Promise<BarBatch> {
  const changes = newChanges()
  for (const trade of trades) applyTrade(bars, trade, changes)
  const live = liveBarsOf(bars).flatMap(bar => (bar ? [textOfBar(bar, bars.scales)] : []))
  const stored = changes.closed.map(bar => textOfBar(bar, bars.scales))
  return {
    at,
    newPos,
    nonce: await nonceOf(tag, newPos),
    symbols: [{ bars, closedIntervals: new Set(stored.map(({ interval }) => interval)), live, stored }],
    update: Buffer.from(`update ${newPos}`),
  }
}

test('a commit writes state, live bars, outbox, position and update together, and they are read back as they were', async () => {
  const { claim, trades } = await partitionWith(3)
  const { tag } = claim
  const heard = Promise.withResolvers<[string, string]>()
  await using updates = await openBarUpdates({
    url: server.url,
    name: 'test',
    onUpdate: (from, bytes) => heard.resolve([from, bytes.toString()]),
    onReconnect() {},
  })
  await updates.subscribe(tag)
  const bars = newBars()
  const at = await commitBars(redis, claim, await batchOf(tag, { pos: 0, rev: 0 }, 4, bars, trades))
  expect(at).toEqual({ pos: 4, rev: 1 })
  expect(await heard.promise).toEqual([tag, 'update 4'])
  const loaded = await loadPartition(redis, tag, ['AAA', 'BBB'], INTERVALS)
  expect(loaded.at).toEqual(at)
  expect([...loaded.bars.keys()]).toEqual(['AAA'])
  expect(liveBarsOf(loaded.bars.get('AAA')!)).toEqual(liveBarsOf(bars))
  const [second, minute] = await readLiveBars(redis, tag, 'AAA', ['1s', '1m'])
  expect(second).toMatchObject({ position: 4, throughTradeId: 3, throughTime: trades[2]!.tradeTime })
  expect(minute?.bar).toEqual(textOfBar(liveBarsOf(bars)[1]!, EXCHANGE_SCALES))
  expect(await countPending(redis, tag)).toBe(2)
})

/** Commits trade by trade; `between` is told how many trades are in the bars. @param writtenOf what the owner remembers at each commit */
async function commitEach(
  trades: readonly Trade[],
  writtenOf: () => WrittenBars,
  between: (tag: string, committed: number) => Promise<void> = async () => undefined,
) {
  const { claim } = await partitionWith(trades.length)
  const bars = newBars()
  let at: PartitionPosition = { pos: 0, rev: 0 }
  for (const [index, trade] of trades.entries()) {
    at = await commitBars(redis, claim, await batchOf(claim.tag, at, index + 2, bars, [trade]), writtenOf())
    await between(claim.tag, index + 1)
  }
  return { tag: claim.tag, bars }
}

test('an owner that writes what differs leaves the hashes as one that writes everything', async () => {
  const trades = [1, 2, 3, 61].map(second => ({ ...tradeOf(1), tradeTime: MINUTE_START + second * 1_000 }))
  const numbered = trades.map((trade, index) => ({ ...trade, tradeId: index + 1, price: 100n + BigInt(index % 2) }))
  const written: WrittenBars = new Map()
  const partly = await commitEach(numbered, () => written)
  const whole = await commitEach(numbered, () => new Map())
  for (const interval of ['1s', '1m']) {
    const of = (tag: string) => redis.hgetall(`bar:${tag}:AAA:${interval}`)
    expect(await of(partly.tag)).toEqual(await of(whole.tag))
  }
})

test('a hash that somebody deletes is whole again after the next but one commit', async () => {
  const trades = [1, 2, 3, 4].map(id => ({ ...tradeOf(id), tradeTime: MINUTE_START + id }))
  const written: WrittenBars = new Map()
  const { tag, bars } = await commitEach(
    trades,
    () => written,
    async (of, committed) => {
      if (committed === 2) await redis.del(`bar:${of}:AAA:1m`)
      if (committed === 3) expect(await redis.hlen(`bar:${of}:AAA:1m`)).toBeLessThan(BAR_FIELDS.length)
    },
  )
  const [minute] = await readLiveBars(redis, tag, 'AAA', ['1m'])
  expect(minute?.bar).toEqual(textOfBar(liveBarsOf(bars)[1]!, EXCHANGE_SCALES))
})

test('a repeated commit answers as the first and changes nothing', async () => {
  const { claim, trades } = await partitionWith(2)
  const batch = await batchOf(claim.tag, { pos: 0, rev: 0 }, 3, newBars(), trades)
  const first = await commitBars(redis, claim, batch)
  const before = await redis.dump(`state:${claim.tag}:AAA`)
  expect(await commitBars(redis, claim, batch)).toEqual(first)
  expect(await redis.dump(`state:${claim.tag}:AAA`)).toEqual(before)
})

test('a commit from a position that the partition has left is a conflict', async () => {
  const { claim, trades } = await partitionWith(3)
  const { tag } = claim
  const stale = await batchOf(tag, { pos: 0, rev: 0 }, 2, newBars(), trades.slice(0, 1))
  await commitBars(redis, claim, await batchOf(tag, { pos: 0, rev: 0 }, 3, newBars(), trades.slice(0, 2)))
  await expect(commitBars(redis, claim, stale)).rejects.toThrow(CommitConflictError)
  expect((await loadPartition(redis, tag, [], [])).at).toEqual({ pos: 3, rev: 1 })
})

test('a commit of an entry that Redis lost, and that another stands for now, is a conflict', async () => {
  const { claim, ingest, trades } = await partitionWith(2)
  const { tag } = claim
  const read = await batchOf(tag, { pos: 0, rev: 0 }, 3, newBars(), trades)
  // A failover to a replica that lacked the last entry; the writer then puts other trades at the same number.
  await redis.del(`log:${tag}`)
  await redis.hset(`heads:${tag}`, { seq: '2', AAA: '1' })
  const other = { ...trades[1]!, price: 999n }
  await redis.xadd(`log:${tag}`, '2-0', 'nonce', 'x', 'entry', 'x')
  await appendEntry(redis, ingest, [
    {
      symbol: 'AAA',
      expectedTradeId: 1,
      trades: [other],
      scales: EXCHANGE_SCALES,
      holeBefore: false,
      afterHalt: false,
      watermark: 0,
      feedState: 'live',
    },
  ])
  await expect(commitBars(redis, claim, read)).rejects.toThrow(CommitConflictError)
})

test('a commit of an entry that is no longer in the log is a conflict', async () => {
  const { claim, trades } = await partitionWith(2)
  const batch = await batchOf(claim.tag, { pos: 0, rev: 0 }, 3, newBars(), trades)
  await redis.del(`log:${claim.tag}`)
  await expect(commitBars(redis, claim, batch)).rejects.toThrow(CommitConflictError)
})

test('an owner that was replaced can commit nothing', async () => {
  const { claim, trades } = await partitionWith(2)
  const batch = await batchOf(claim.tag, { pos: 0, rev: 0 }, 3, newBars(), trades)
  await claimed(claim.tag, 'aggregate', 'two')
  await expect(commitBars(redis, claim, batch)).rejects.toThrow(FencedError)
  expect((await loadPartition(redis, claim.tag, [], [])).at).toEqual({ pos: 0, rev: 0 })
})

test('a bar leaves the outbox when the very value that was stored is acknowledged, not when it was restated since', async () => {
  const { claim, trades } = await partitionWith(3)
  const { tag } = claim
  const batch = await batchOf(tag, { pos: 0, rev: 0 }, 4, newBars(), trades)
  await commitBars(redis, claim, batch)
  const [first, second] = batch.symbols[0]!.stored
  const restated = pendingValueOf({ ...first!, revision: 1 })
  await redis.hset(`pending:${tag}`, pendingFieldOf(first!), restated)
  const entries = [first!, second!].map(bar => [pendingFieldOf(bar), pendingValueOf(bar)] as const)
  expect(await ackPending(redis, tag, entries)).toBe(1)
  expect(await redis.hgetall(`pending:${tag}`)).toEqual({ [pendingFieldOf(first!)]: restated })
})

test('after a rewind the log is empty, its numbers go on, and the writer is sent back to where the bars stand', async () => {
  const { claim, ingest, trades } = await partitionWith(3)
  const { tag } = claim
  const at = await commitBars(redis, claim, await batchOf(tag, { pos: 0, rev: 0 }, 2, newBars(), trades.slice(0, 1)))
  await rewindLog(redis, claim, ['AAA', 'BBB'])
  expect((await loadPartition(redis, tag, [], [])).at).toEqual({ pos: 4, rev: at.rev + 1 })
  const block = {
    symbol: 'AAA',
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: 'live',
  } as const
  expect(await appendEntry(redis, ingest, [{ ...block, expectedTradeId: 3, trades: [tradeOf(4)] }])).toEqual({
    kind: 'mismatch',
    heads: new Map([['AAA', 1]]),
  })
  expect(await appendEntry(redis, ingest, [{ ...block, expectedTradeId: 1, trades: trades.slice(1) }])).toEqual({
    kind: 'appended',
    n: 5,
  })
})

test('commits go on while Redis is over its memory limit, so that it can drain', async () => {
  const { claim, trades } = await partitionWith(1)
  const batch = await batchOf(claim.tag, { pos: 0, rev: 0 }, 2, newBars(), trades)
  await redis.config('SET', 'maxmemory', '1mb')
  try {
    expect(await commitBars(redis, claim, batch)).toEqual({ pos: 2, rev: 1 })
  } finally {
    await redis.config('SET', 'maxmemory', '0')
  }
})

test('scripts work again after Redis has forgotten them', async () => {
  const { claim, trades } = await partitionWith(1)
  await redis.script('FLUSH')
  expect(await commitBars(redis, claim, await batchOf(claim.tag, { pos: 0, rev: 0 }, 2, newBars(), trades))).toEqual({
    pos: 2,
    rev: 1,
  })
})
