import { randomUUID } from 'node:crypto'
import { type BarText, EXCHANGE_SCALES, type Trade, unpackTrades } from '@chart/market'
import { type RedisServer, startRedis } from '@chart/servers'
import { PATIENT } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type AppendBlock,
  appendEntry,
  appendRestatement,
  type BlockingRedis,
  type Claim,
  claimPartition,
  closeRedis,
  FencedError,
  heartbeat,
  LogCorruptError,
  type LogEntry,
  LogUnseededError,
  openBlockingRedis,
  openRedis,
  type RedisConnection,
  readEntries,
  readFeedStatus,
  readHeads,
} from '../src/index.ts'
import { decodeEntry, encodeEntry, encodeRestatement } from '../src/log-entry.ts'

let server: RedisServer
let redis: RedisConnection
let reader: BlockingRedis

beforeAll(async () => {
  server = await startRedis()
  redis = await openRedis(server.url, 'test', PATIENT)
  reader = await openBlockingRedis(server.url, 'test-reader', 100)
})

afterAll(async () => {
  closeRedis(redis)
  closeRedis(reader)
  await server.close()
})

const START_TIME = 1_723_161_255_000

function tradeOf(tradeId: number): Trade {
  return {
    tradeId,
    tradeTime: START_TIME + tradeId * 7,
    price: 6_183_763_000_000n + BigInt(tradeId % 13) * 1_000_000n,
    quantity: BigInt(1 + (tradeId % 5)) * 1_000n,
    takerSide: tradeId % 2 === 0 ? 'buy' : 'sell',
  }
}

function blockOf(
  symbol: string,
  expectedTradeId: number | undefined,
  ids: readonly number[],
  more: Partial<AppendBlock> = {},
): AppendBlock {
  return {
    symbol,
    expectedTradeId,
    trades: ids.map(tradeOf),
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: 'live',
    ...more,
  }
}

function seedOf(symbol: string, lastTradeId: number): AppendBlock {
  return blockOf(symbol, undefined, [], { seed: { lastTradeId, sinceTime: START_TIME, scales: EXCHANGE_SCALES } })
}

/** A partition of its own for each test. */
let partitions = 0
async function newPartition(): Promise<Claim> {
  const tag = `{t${partitions++}}`
  return claimed(tag, 'first')
}

async function claimed(tag: string, owner: string): Promise<Claim> {
  const claim = await claimPartition(redis, { tag, work: 'ingest', owner, leaseMs: 60_000, force: true })
  if (claim === undefined) throw new Error('a forced claim was refused')
  return claim
}

async function idsInLog(tag: string, symbol: string): Promise<number[]> {
  const entries: LogEntry[] = []
  for (;;) {
    const next = await readEntries(reader, tag, entries.at(-1)?.n ?? 0, 1_000, 1)
    if (next.length === 0) break
    entries.push(...next)
  }
  expect(entries.map(entry => entry.n)).toEqual(entries.map((_, index) => index + 1))
  return entries
    .flatMap(({ blocks }) =>
      blocks.flatMap(block => (block.symbol === symbol && block.packed ? unpackTrades(block.packed).trades : [])),
    )
    .map(trade => trade.tradeId)
}

test('an entry carries its blocks there and back', () => {
  const blocks = [
    seedOf('BTCUSDT', 41),
    blockOf('ETHUSDT', 6, [7, 8, 9], { watermark: START_TIME, holeBefore: true, afterHalt: true }),
    blockOf('PEPEUSDT', 3, [], { watermark: START_TIME + 1_000 }),
  ]
  const { writtenTime, blocks: read } = decodeEntry(encodeEntry(blocks, 1_234_567))
  expect(writtenTime).toBe(1_234_567)
  expect(read.map(({ symbol }) => symbol)).toEqual(['BTCUSDT', 'ETHUSDT', 'PEPEUSDT'])
  expect(read[0]).toMatchObject({
    seed: { lastTradeId: 41, sinceTime: START_TIME, scales: EXCHANGE_SCALES },
    packed: undefined,
  })
  expect(read[1]).toMatchObject({ seed: undefined, watermark: START_TIME, holeBefore: true, afterHalt: true })
  expect(unpackTrades(read[1]!.packed!).trades).toEqual([7, 8, 9].map(tradeOf))
  expect(read[2]).toMatchObject({
    watermark: START_TIME + 1_000,
    packed: undefined,
    holeBefore: false,
    afterHalt: false,
  })
})

test('a traced append hands its context on with the entry; the fields that others read stand where they always do', async () => {
  const claim = await newPartition()
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  await appendEntry(redis, claim, [seedOf('AAA', 4)])
  await appendEntry(redis, claim, [blockOf('AAA', 4, [5]), seedOf('BBB', 1)], traceparent)
  await appendEntry(redis, claim, [blockOf('AAA', 5, [6])])
  const entries = await readEntries(reader, claim.tag, 0, 10, 1)
  expect(entries.map(entry => entry.traceparent)).toEqual([undefined, traceparent, undefined])
  expect(entries.map(({ blocks }) => blocks.length)).toEqual([1, 2, 1])
  const stored = await redis.xrange(`log:${claim.tag}`, '-', '+')
  expect(stored.map(([, fields]) => [fields.length, fields[0], fields[2]])).toEqual([
    [4, 'nonce', 'entry'],
    [6, 'nonce', 'entry'],
    [4, 'nonce', 'entry'],
  ])
})

const RESTATED: BarText = {
  symbol: 'AAA',
  interval: '1m',
  openTime: START_TIME - (START_TIME % 60_000),
  closeTime: START_TIME - (START_TIME % 60_000) + 59_999,
  open: '1.00000000',
  high: '4.00000000',
  low: '0.50000000',
  close: '2.00000000',
  baseVolume: '10.00000000',
  quoteVolume: '12.00000000',
  takerBuyBaseVolume: '3.00000000',
  takerBuyQuoteVolume: '4.00000000',
  tradeCount: 9,
  firstTradeId: 1,
  lastTradeId: 9,
  state: 'closed',
  revision: 1,
  complete: true,
}

test('a seed carries the bars that had begun before it', () => {
  const seed = {
    lastTradeId: 41,
    sinceTime: START_TIME,
    scales: EXCHANGE_SCALES,
    begun: { live: '{"…":1}', closed: '{}' },
  }
  const { blocks } = decodeEntry(encodeEntry([blockOf('AAA', undefined, [], { seed })]))
  expect(blocks[0]!.seed).toEqual(seed)
})

test('a last number that contradicts the log is put right by the next append', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 10)])
  for (const id of [11, 12, 13]) await appendEntry(redis, claim, [blockOf('AAA', id - 1, [id])])
  await redis.hset(`heads:${claim.tag}`, 'seq', 2)
  expect(await appendEntry(redis, claim, [blockOf('AAA', 13, [14])])).toEqual({ kind: 'appended', n: 5 })
  expect(await idsInLog(claim.tag, 'AAA')).toEqual([11, 12, 13, 14])
})

test('a log that is no stream is told, and nothing is written', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 10)])
  await redis.del(`log:${claim.tag}`)
  await redis.set(`log:${claim.tag}`, 'no stream')
  await expect(appendEntry(redis, claim, [blockOf('AAA', 10, [11])])).rejects.toThrow(LogCorruptError)
  expect(await readHeads(redis, claim.tag, ['AAA'])).toEqual(new Map([['AAA', 10]]))
})

test('a restated bar is an entry of its own, which moves no head', async () => {
  const claim = await newPartition()
  const { tag } = claim
  await expect(appendRestatement(redis, tag, RESTATED)).rejects.toThrow(LogUnseededError)
  await appendEntry(redis, claim, [seedOf('AAA', 10)])
  await appendRestatement(redis, tag, RESTATED)
  expect(await appendEntry(redis, claim, [blockOf('AAA', 10, [11])])).toEqual({ kind: 'appended', n: 3 })
  const entries = await readEntries(reader, tag, 0, 10, 1)
  expect(entries.map(({ blocks }) => blocks[0]!.restated)).toEqual([undefined, RESTATED, undefined])
  expect(entries[1]!.blocks[0]!.packed).toBeUndefined()
})

test('a restated bar that cannot be read is an empty block, so that it stops no reader', () => {
  const bytes = encodeRestatement({ ...RESTATED, open: 'much' })
  expect(decodeEntry(bytes).blocks[0]).toMatchObject({ restated: undefined, packed: undefined, watermark: 0 })
})

test('an entry of another version is refused with what to do', () => {
  const bytes = encodeEntry([seedOf('BTCUSDT', 1)])
  bytes[0] = 9
  expect(() => decodeEntry(bytes)).toThrow(/version 9.*matching release/)
})

test('trades are appended when they follow on from the head, for several symbols at once', async () => {
  const claim = await newPartition()
  expect(await appendEntry(redis, claim, [seedOf('AAA', 10), seedOf('BBB', 0)])).toEqual({ kind: 'appended', n: 1 })
  expect(await appendEntry(redis, claim, [blockOf('AAA', 10, [11, 12]), blockOf('BBB', 0, [1])])).toEqual({
    kind: 'appended',
    n: 2,
  })
  expect(await readHeads(redis, claim.tag, ['AAA', 'BBB', 'CCC'])).toEqual(
    new Map([
      ['AAA', 12],
      ['BBB', 1],
      ['CCC', undefined],
    ]),
  )
  expect(await idsInLog(claim.tag, 'AAA')).toEqual([11, 12])
})

test('a batch that one symbol does not fit is refused whole, and the answer says where that symbol stands', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 10), seedOf('BBB', 20)])
  await appendEntry(redis, claim, [blockOf('AAA', 10, [11, 12, 13])])
  const answer = await appendEntry(redis, claim, [blockOf('BBB', 20, [21]), blockOf('AAA', 12, [13, 14])])
  expect(answer).toEqual({ kind: 'mismatch', heads: new Map([['AAA', 13]]) })
  expect(await idsInLog(claim.tag, 'BBB')).toEqual([])
})

test('a repeated append changes nothing and shows that the first was done', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  const block = blockOf('AAA', 0, [1, 2, 3])
  await appendEntry(redis, claim, [block])
  expect(await appendEntry(redis, claim, [block])).toEqual({ kind: 'mismatch', heads: new Map([['AAA', 3]]) })
  expect(await idsInLog(claim.tag, 'AAA')).toEqual([1, 2, 3])
})

test('a jump of ids is refused unless the exchange was found to have the hole', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await expect(appendEntry(redis, claim, [blockOf('AAA', 0, [3])])).rejects.toThrow(/AAA trade 3 does not follow 0/)
  await appendEntry(redis, claim, [blockOf('AAA', 0, [3], { holeBefore: true })])
  expect(await idsInLog(claim.tag, 'AAA')).toEqual([3])
})

test('a symbol without a head must be begun by a seed, once', async () => {
  const claim = await newPartition()
  expect(await appendEntry(redis, claim, [blockOf('AAA', 4, [5])])).toEqual({
    kind: 'mismatch',
    heads: new Map([['AAA', undefined]]),
  })
  await appendEntry(redis, claim, [seedOf('AAA', 4)])
  expect(await appendEntry(redis, claim, [seedOf('AAA', 9)])).toEqual({
    kind: 'mismatch',
    heads: new Map([['AAA', 4]]),
  })
})

test('when the heads are lost and the bars are not, the log goes on where the bars stand', async () => {
  const claim = await newPartition()
  await redis.hset(`state:${claim.tag}:AAA`, 'lastTradeId', '77')
  expect(await appendEntry(redis, claim, [seedOf('AAA', 4)])).toEqual({
    kind: 'mismatch',
    heads: new Map([['AAA', 77]]),
  })
  expect(await appendEntry(redis, claim, [blockOf('AAA', 77, [78])])).toMatchObject({ kind: 'appended' })
})

test('an owner that was replaced can append nothing, whatever it believes', async () => {
  const old = await newPartition()
  await appendEntry(redis, old, [seedOf('AAA', 0)])
  const next = await claimed(old.tag, 'second')
  await expect(appendEntry(redis, old, [blockOf('AAA', 0, [1])])).rejects.toThrow(FencedError)
  expect(await appendEntry(redis, next, [blockOf('AAA', 0, [1])])).toMatchObject({ kind: 'appended' })
})

test('a polite claim waits for the lease, a forced one does not', async () => {
  const { tag } = await newPartition()
  const claim = (force: boolean) =>
    claimPartition(redis, { tag, work: 'ingest', owner: randomUUID(), leaseMs: 60_000, force })
  expect(await claim(false)).toBeUndefined()
  expect(await claim(true)).toBeDefined()
})

test('after the stream was deleted by hand, entry numbers go on', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await appendEntry(redis, claim, [blockOf('AAA', 0, [1])])
  await redis.del(`log:${claim.tag}`)
  expect(await appendEntry(redis, claim, [blockOf('AAA', 1, [2])])).toEqual({ kind: 'appended', n: 3 })
})

test('after the heads were deleted by hand, entry numbers go on from the stream', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await appendEntry(redis, claim, [blockOf('AAA', 0, [1])])
  await redis.del(`heads:${claim.tag}`)
  expect(await appendEntry(redis, claim, [seedOf('AAA', 1)])).toEqual({ kind: 'appended', n: 3 })
})

test('the feed hash tells the state, the last trade and the watermark', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await appendEntry(redis, claim, [blockOf('AAA', 0, [1, 2], { watermark: START_TIME })])
  expect(await redis.hgetall(`feed:${claim.tag}:AAA`)).toEqual({
    writtenTime: expect.stringMatching(/^\d{13}$/),
    state: 'live',
    lastTradeId: '2',
    lastTradeTime: String(START_TIME + 14),
    watermark: String(START_TIME),
  })
})

test('Redis refuses trades while it is over its memory limit, and writes nothing', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await redis.config('SET', 'maxmemory', '1mb')
  try {
    await expect(appendEntry(redis, claim, [blockOf('AAA', 0, [1])])).rejects.toThrow(/OOM/)
  } finally {
    await redis.config('SET', 'maxmemory', '0')
  }
  expect(await appendEntry(redis, claim, [blockOf('AAA', 0, [1])])).toMatchObject({ kind: 'appended' })
  expect(await idsInLog(claim.tag, 'AAA')).toEqual([1])
})

test('two writers that take turns by force, each with losses of its own, leave a log without a hole or a repeat', async () => {
  const { tag } = await newPartition()
  const total = 2_000
  await appendEntry(redis, await claimed(tag, 'seed'), [seedOf('AAA', 0)])
  const writer = async (owner: string, step: number) => {
    let claim = await claimed(tag, owner)
    let head = 0
    for (let round = 0; head < total; round++) {
      if (round % step === step - 1) claim = await claimed(tag, owner)
      const ids = Array.from({ length: 1 + (round % 7) }, (_, index) => head + 1 + index).filter(id => id <= total)
      try {
        const answer = await appendEntry(redis, claim, [blockOf('AAA', head, ids)])
        // Every fifth answer is lost: the writer goes on from what it believed.
        if (answer.kind === 'mismatch') head = answer.heads.get('AAA') ?? 0
        else if (round % 5 !== 0) head += ids.length
      } catch (error) {
        if (!(error instanceof FencedError)) throw error
        claim = await claimed(tag, owner)
      }
    }
  }
  await Promise.all([writer('one', 11), writer('two', 13)])
  expect(await idsInLog(tag, 'AAA')).toEqual(Array.from({ length: total }, (_, index) => index + 1))
})

test('a feed that calls itself live and is not written any more is stale to its readers', async () => {
  const claim = await newPartition()
  await appendEntry(redis, claim, [seedOf('AAA', 0)])
  await appendEntry(redis, claim, [blockOf('AAA', 0, [1])])
  const state = async () => (await readFeedStatus(redis, [{ tag: claim.tag, symbol: 'AAA' }]))[0]?.state
  expect(await state()).toBe('live')
  await redis.hset(`feed:${claim.tag}:AAA`, 'writtenTime', String(Date.now() - 60_000))
  expect(await state()).toBe('stale')
})

test('members say that they live also while Redis is over its memory limit, and silent ones are forgotten', async () => {
  await redis.zadd('members:test', '1', 'silent')
  await redis.config('SET', 'maxmemory', '1mb')
  try {
    expect(await heartbeat(redis, 'test', 'one')).toEqual(['one'])
    expect(await heartbeat(redis, 'test', 'two')).toEqual(['one', 'two'])
  } finally {
    await redis.config('SET', 'maxmemory', '0')
  }
})
