import { connect, constants } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { type BarClient, openBarClient } from '@chart/grpc'
import { intervalsOf } from '@chart/market'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { messageOf, openRawSession, PATIENT, rawCall, textField } from '@chart/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Subscription } from './followed-series.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge, type TestEdge } from './test-edge.ts'

/** What nonsense is answered with: each rpc, each field, each kind. Nobody else notices, and nobody is told more than their fault. */

const INTERVALS = intervalsOf(['1s', '1m'])
const SYMBOL = 'AAAUSDT'
const OK = 0
const INVALID = 3
const NOT_FOUND = 5
const EXHAUSTED = 8
const UNIMPLEMENTED = 12
const INTERNAL = 13

let servers: Servers
let redis: RedisConnection
let edge: TestEdge
let client: BarClient
let market: TestAggregator
let witness: Subscription
let witnessClient: BarClient

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
  edge = await startEdge({ redisUrl: servers.redis.url, databaseUrl: servers.postgres.url, intervals: INTERVALS })
  client = openBarClient(`127.0.0.1:${edge.port}`)
  market = await TestAggregator.open(redis, SYMBOL, INTERVALS)
  await market.register(SYMBOL)
  await market.commit({ [SYMBOL]: tradesOf(1, 20) })
  witnessClient = openBarClient(`127.0.0.2:${edge.port}`)
  witness = new Subscription(witnessClient, { symbols: [SYMBOL], intervals: ['1m'] })
  await witness.until(() => witness.events.length === 1)
})

afterAll(async () => {
  // A stream that was open all the while has noticed nothing.
  const last = market.lastTradeId(SYMBOL)
  await market.commit({ [SYMBOL]: [tradeOf(last + 1)] })
  await witness.untilTrade(`${SYMBOL} 1m`, last + 1)
  expect(witness.error).toBeUndefined()
  await witness[Symbol.asyncDispose]()
  witnessClient[Symbol.dispose]()
  client[Symbol.dispose]()
  await edge[Symbol.asyncDispose]()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

type Row = readonly [kind: string, fields: object, code: number, details: string]

const TIMES_THAT_ARE_NONE: readonly (readonly [string, object])[] = [
  ['before 1970', { seconds: -1, nanos: 0 }],
  ['after 9999', { seconds: 253_402_300_800, nanos: 0 }],
  ['beyond 2^53 ms', { seconds: Number.MAX_SAFE_INTEGER, nanos: 0 }],
  ['of the largest int64', { seconds: '9223372036854775807', nanos: 0 }],
  ['with negative nanos', { seconds: 5, nanos: -1 }],
  ['with a second of nanos', { seconds: 5, nanos: 1_000_000_000 }],
]

/** Texts that are neither a symbol nor an interval. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['with a space', 'AAA USDT'],
  ['with a line break', 'AAAUSDT\n'],
  ['of other letters', 'ÄÖÜUSDT'],
  ['with a NUL', 'AAA\0USDT'],
  ['that looks like a key', 'AAAUSDT:1m'],
  ['with a glob', 'AAA*'],
  ['with a quote', "'; DROP TABLE bars; --"],
  ['with half a surrogate', '\ud800'],
  ['of a property of objects', '__proto__'],
  ['of 60,000 letters', 'A'.repeat(60_000)],
]

const position = (over: object = {}) => ({
  symbol: SYMBOL,
  interval: '1m',
  newest: { openTime: { seconds: 60, nanos: 0 }, state: 'BAR_STATE_CLOSED', revision: 0, lastTradeId: 5 },
  corrected: [],
  ...over,
})
const newest = (over: object) => position({ newest: { ...position().newest, ...over } })

const STREAM_BARS: readonly Row[] = [
  ['symbols empty', { symbols: [] }, INVALID, 'symbols is empty; give at least one'],
  ['a symbol missing', { symbols: [SYMBOL, ''] }, INVALID, 'symbols[1] is missing; give a symbol such as BTCUSDT'],
  [
    'a symbol of lower case',
    { symbols: ['aaausdt'] },
    INVALID,
    'symbols[0] is not a symbol such as BTCUSDT; symbols are upper case: AAAUSDT',
  ],
  [
    'an unknown symbol',
    { symbols: [SYMBOL, 'ZZZUSDT'] },
    NOT_FOUND,
    'symbols[1] ZZZUSDT is not served; ListSymbols tells what is',
  ],
  ...TEXTS.map(
    ([kind, text]) => [`a symbol ${kind}`, { symbols: [text] }, INVALID, 'symbols[0] is not a symbol'] as const,
  ),
  ['intervals empty', { intervals: [] }, INVALID, 'intervals is empty; give at least one'],
  ['an interval missing', { intervals: ['1m', ''] }, INVALID, 'intervals[1] is missing; give one of 1s, 1m'],
  ['an unknown interval', { intervals: ['1m', '9h'] }, INVALID, 'intervals[1] is unknown; give one of 1s, 1m'],
  ['an interval of upper case', { intervals: ['1M'] }, INVALID, 'intervals[0] is unknown'],
  ...TEXTS.map(
    ([kind, text]) => [`an interval ${kind}`, { intervals: [text] }, INVALID, 'intervals[0] is unknown'] as const,
  ),
  ['an unknown mode', { mode: 77 }, INVALID, 'mode is unknown'],
  ['a negative mode', { mode: -1 }, INVALID, 'mode is unknown'],
  ...TIMES_THAT_ARE_NONE.map(
    ([kind, time]) =>
      [`start_time ${kind}`, { startTime: time }, INVALID, 'start_time is not a time from 1970 to 9999'] as const,
  ),
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0.05, 1_001, 1e300, Number.MIN_VALUE].map(
    rate =>
      [
        `max_updates_per_second ${rate}`,
        { maxUpdatesPerSecond: rate },
        INVALID,
        `max_updates_per_second is ${rate}; give 0.1 to 1000, or 0 for no limit`,
      ] as const,
  ),
  [
    'a rate of every trade',
    { maxUpdatesPerSecond: 5, mode: 'STREAM_MODE_EVERY_TRADE' },
    INVALID,
    'max_updates_per_second goes with mode STREAM_MODE_LATEST',
  ],
  [
    'a rate of closed bars',
    { maxUpdatesPerSecond: 5, mode: 'STREAM_MODE_CLOSED' },
    INVALID,
    'max_updates_per_second goes with',
  ],
  [
    'a position of a symbol not asked for',
    { positions: [position({ symbol: 'BBBUSDT' })] },
    INVALID,
    'positions[0] is of a symbol and interval that the call does not ask for',
  ],
  [
    'a position of an interval not asked for',
    { positions: [position({ interval: '1s' })] },
    INVALID,
    'positions[0] is of',
  ],
  ['a position of nothing', { positions: [position({ symbol: '', interval: '' })] }, INVALID, 'positions[0] is of'],
  [
    'two positions of a series',
    { positions: [position(), position()] },
    INVALID,
    'positions[1] is the second one of its series',
  ],
  [
    'a position without newest',
    { positions: [position({ newest: null })] },
    INVALID,
    'positions[0].newest is missing, or its open_time or state is',
  ],
  [
    'a position without open_time',
    { positions: [newest({ openTime: null })] },
    INVALID,
    'positions[0].newest is missing',
  ],
  [
    'a position without state',
    { positions: [newest({ state: 'BAR_STATE_UNSPECIFIED' })] },
    INVALID,
    'positions[0].newest is missing',
  ],
  [
    'a position inside a bar',
    { positions: [newest({ openTime: { seconds: 61, nanos: 0 } })] },
    INVALID,
    'positions[0].newest.open_time is not one at which a bar of 1m opens',
  ],
  [
    'a position before 1970',
    { positions: [newest({ openTime: { seconds: -60, nanos: 0 } })] },
    INVALID,
    'positions[0].newest.open_time',
  ],
  [
    'a position far ahead of time',
    { positions: [newest({ openTime: { seconds: '9223372036854775800', nanos: 0 } })] },
    INVALID,
    'positions[0].newest.open_time',
  ],
  [
    'corrections too many',
    { positions: [position({ corrected: Array(129).fill(position().newest) })] },
    INVALID,
    'positions[0].corrected has more than 128 bars',
  ],
  [
    'a correction without open_time',
    { positions: [position({ corrected: [{ ...position().newest, openTime: null }] })] },
    INVALID,
    'positions[0].corrected has',
  ],
  [
    'a correction inside a bar',
    { positions: [position({ corrected: [{ ...position().newest, openTime: { seconds: 7, nanos: 0 } }] })] },
    INVALID,
    'positions[0].corrected[0].open_time',
  ],
  ['a request of 300 KiB', { symbols: Array(30_000).fill('AAAAUSDT') }, EXHAUSTED, 'Received message larger than max'],
]

const GET_LIVE_BAR: readonly Row[] = [
  ['symbol missing', { symbol: '' }, INVALID, 'symbol is missing; give a symbol such as BTCUSDT'],
  ['symbol of lower case', { symbol: 'aaausdt' }, INVALID, 'symbols are upper case: AAAUSDT'],
  ['an unknown symbol', { symbol: 'ZZZUSDT' }, NOT_FOUND, 'symbol ZZZUSDT is not served'],
  ...TEXTS.map(([kind, text]) => [`symbol ${kind}`, { symbol: text }, INVALID, 'symbol is not a symbol'] as const),
  ['interval missing', { interval: '' }, INVALID, 'interval is missing; give one of 1s, 1m'],
  ['an interval that is not served', { interval: '1d' }, INVALID, 'interval is unknown; give one of 1s, 1m'],
  ...TEXTS.map(([kind, text]) => [`interval ${kind}`, { interval: text }, INVALID, 'interval is unknown'] as const),
]

const token = (text: string) => Buffer.from(text).toString('base64url')
const TOKENS: readonly (readonly [string, string])[] = [
  ['of garbage', 'abc'],
  ['of other letters', '%%%'],
  ['with code', token("v1:1'; --")],
  ['of another version', token('v2:1000')],
  ['with a sign', token('v1:-1000')],
  ['with a fraction', token('v1:1.5')],
  ['without a number', token('v1:')],
  ['of 10,000 letters', 'A'.repeat(10_000)],
  ['of a number beyond all', token(`v1:${'9'.repeat(40)}`)],
  ['with something behind it', token('v1:1000 or more')],
]

const LIST_BARS: readonly Row[] = [
  ...GET_LIVE_BAR,
  ...TIMES_THAT_ARE_NONE.map(
    ([kind, time]) =>
      [`start_time ${kind}`, { startTime: time }, INVALID, 'start_time is not a time from 1970 to 9999'] as const,
  ),
  ...TIMES_THAT_ARE_NONE.map(
    ([kind, time]) =>
      [`end_time ${kind}`, { endTime: time }, INVALID, 'end_time is not a time from 1970 to 9999'] as const,
  ),
  [
    'end_time before start_time',
    { startTime: { seconds: 2, nanos: 0 }, endTime: { seconds: 1, nanos: 0 } },
    INVALID,
    'end_time is before start_time',
  ],
  ...[-1, 1_001, 2 ** 31 - 1, -(2 ** 31)].map(
    size =>
      [`page_size ${size}`, { pageSize: size }, INVALID, `page_size is ${size}; give 1 to 1000, or 0 for 100`] as const,
  ),
  ...TOKENS.map(
    ([kind, text]) =>
      [`page_token ${kind}`, { pageToken: text }, INVALID, 'page_token is not one that this service gave'] as const,
  ),
  ['an unknown order', { order: 9 }, INVALID, 'order is unknown'],
  ['a negative order', { order: -1 }, INVALID, 'order is unknown'],
]

const callOf = {
  StreamBars: async (fields: object) => {
    for await (const _ of client.streamBars(
      { symbols: [SYMBOL], intervals: ['1m'], ...fields },
      AbortSignal.timeout(30_000),
    )) {
      return
    }
  },
  GetLiveBar: (fields: object) => client.getLiveBar({ symbol: SYMBOL, interval: '1m', ...fields }),
  ListBars: (fields: object) => client.listBars({ symbol: SYMBOL, interval: '1m', ...fields }),
}

/** What a stack trace, a path of ours or a server's own words look like. */
const OURS = /\.ts\b|node_modules|node:|at .*\(|Error:|ERR |SELECT|redis|postgres/i

describe.each([
  ['StreamBars', STREAM_BARS],
  ['GetLiveBar', GET_LIVE_BAR],
  ['ListBars', LIST_BARS],
] as const)('%s', (method, rows) => {
  test('is served when nothing is wrong', async () => {
    await callOf[method]({})
  })

  test.each(rows)('%s', async (_, fields, code, details) => {
    const error = await Promise.resolve(callOf[method](fields)).then(
      () => expect.unreachable('it was served'),
      error => error,
    )
    expect(error).toMatchObject({ code, details: expect.stringContaining(details) })
    expect(error.details).not.toMatch(OURS)
    expect(error.details.length).toBeLessThan(500)
  })
})

describe('bytes', () => {
  const SERVICE = '/chart.v1.ChartService/'
  const good = Buffer.concat([textField(1, SYMBOL), textField(2, '1m')])

  const garbage: readonly (readonly [string, Uint8Array])[] = [
    ['of a wire type that does not exist', Buffer.from([0x0f, 0x01])],
    ['of a length beyond the end', Buffer.from([0x0a, 0x7f, 0x41])],
    ['of a number that does not end', Buffer.alloc(20, 0xff)],
    ['behind a good request', Buffer.concat([good, Buffer.from([0x07, 0xff, 0xff])])],
    ['of noise', Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 7_919) % 251))],
  ]

  test.each(
    ['StreamBars', 'GetLiveBar', 'ListBars'].flatMap(method =>
      garbage.map(([kind, bytes]) => [method, kind, bytes] as const),
    ),
  )('%s, garbage %s', async (method, _, bytes) => {
    await using session = await openRawSession(edge.port)
    const answer = await rawCall(session, SERVICE + method, { body: messageOf(bytes) })
    expect(answer.code).toBe(INVALID)
    // Where the bytes can be taken for a field, for one with nonsense in it.
    expect(answer.message).toMatch(/^the request is not a message of this method|^symbol/)
    expect(answer.message).not.toMatch(OURS)
  })

  test('fields that are not known yet are passed over', async () => {
    await using session = await openRawSession(edge.port)
    const body = messageOf(Buffer.concat([good, textField(15, 'new')]))
    expect((await rawCall(session, `${SERVICE}GetLiveBar`, { body })).code).toBe(OK)
  })

  test.each<[string, string, { body?: Uint8Array; headers?: object }, number]>([
    ['a method that does not exist', 'DropBars', {}, UNIMPLEMENTED],
    ['a method of lower case', 'listSymbols', {}, UNIMPLEMENTED],
    ['no message', 'ListSymbols', { body: Buffer.alloc(0) }, UNIMPLEMENTED],
    ['two messages', 'ListSymbols', { body: Buffer.concat([messageOf(good), messageOf(good)]) }, UNIMPLEMENTED],
    ['a deadline that is none', 'ListSymbols', { headers: { 'grpc-timeout': 'soon' } }, INTERNAL],
    [
      'an encoding that is not known',
      'ListSymbols',
      { headers: { 'grpc-encoding': 'br' }, body: Buffer.from([1, 0, 0, 0, 1, 0]) },
      UNIMPLEMENTED,
    ],
    [
      'a message that says it is packed and is not',
      'ListSymbols',
      { headers: { 'grpc-encoding': 'gzip' }, body: Buffer.from([1, 0, 0, 0, 1, 0]) },
      INTERNAL,
    ],
    [
      'a message that is small when packed',
      'ListSymbols',
      { headers: { 'grpc-encoding': 'gzip' }, body: packed(gzipSync(Buffer.alloc(50_000_000))) },
      EXHAUSTED,
    ],
    ['a length of 4 GiB', 'ListSymbols', { body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]) }, EXHAUSTED],
  ])('%s', async (_, method, options, code) => {
    await using session = await openRawSession(edge.port)
    const answer = await rawCall(session, SERVICE + method, options as never)
    expect(answer.code).toBe(code)
    expect(answer.message).not.toMatch(OURS)
    expect((await rawCall(session, `${SERVICE}ListSymbols`)).code).toBe(OK)
  })

  test.each(['/', '/x', '/chart.v1.ChartService/', `/${'a'.repeat(10_000)}`, '/%00', '/..%2f', '/a b', '/ä', '*'])(
    'the path %j is answered and ends nothing',
    async path => {
      await using session = await openRawSession(edge.port)
      const answer = await rawCall(session, path).catch(error => error)
      expect(answer.code === UNIMPLEMENTED || answer.code === undefined || answer instanceof Error).toBe(true)
      expect((await client.listSymbols()).symbols.length).toBeGreaterThan(0)
    },
  )

  test('a request that is not gRPC is 415', async () => {
    await using session = await openRawSession(edge.port)
    const answer = await rawCall(session, `${SERVICE}ListSymbols`, { headers: { 'content-type': 'text/html' } })
    expect(answer.httpStatus).toBe(415)
  })

  test('headers without end are refused', async () => {
    const session = connect(`http://127.0.0.1:${edge.port}`, { maxSendHeaderBlockLength: 10_000_000 })
    session.on('error', () => undefined)
    const headers = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, 'a'.repeat(1_000)]))
    const answer = await rawCall(session, `${SERVICE}ListSymbols`, { headers })
    expect(answer.code).not.toBe(OK)
    session.destroy(undefined, constants.NGHTTP2_CANCEL)
    expect((await client.listSymbols()).symbols.length).toBeGreaterThan(0)
  })
})

/** As one message of gRPC that is packed. */
function packed(bytes: Uint8Array): Buffer {
  const message = messageOf(bytes)
  message[0] = 1
  return message
}
