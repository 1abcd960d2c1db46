import { afterEach, beforeEach, expect, test } from 'vitest'
import { type KlineFeedOptions, openKlineFeed, type StreamKline } from '../src/index.ts'
import { StreamServer } from './stream-server.ts'

/** The feed of closed klines against a WebSocket server. */

let server: StreamServer
let stop: AbortController
beforeEach(async () => {
  server = await StreamServer.open()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await server.close()
})

const MINUTE_MS = 60_000
const OPEN_TIME = 1_723_161_600_000

function klineOf(symbol: string, minute: number, over: object = {}) {
  const t = OPEN_TIME + minute * MINUTE_MS
  const numbers = { o: '1.0', c: '1.0', h: '1.0', l: '1.0', v: '5', q: '5', V: '0', Q: '0', B: '0' }
  const k = { t, T: t + MINUTE_MS - 1, s: symbol, i: '1m', f: minute, L: minute, n: 1, x: true, ...numbers, ...over }
  return { e: 'kline', E: t + MINUTE_MS, s: symbol, k }
}

function open(options: Partial<KlineFeedOptions> = {}): AsyncIterator<readonly StreamKline[]> {
  const feed = openKlineFeed({
    streamUrl: server.url,
    symbols: ['BTCUSDT', 'ETHUSDT'],
    signal: stop.signal,
    backoff: { firstMs: 10, longestMs: 50 },
    ...options,
  })
  return feed[Symbol.asyncIterator]()
}

/** Takes klines until there are `count`. */
async function take(feed: AsyncIterator<readonly StreamKline[]>, count: number): Promise<StreamKline[]> {
  const klines: StreamKline[] = []
  while (klines.length < count) klines.push(...((await feed.next()).value as StreamKline[]))
  return klines
}

const subscribed = (count = 1) =>
  server.until(() => server.openClients.filter(({ streams }) => streams.size > 0).length >= count)

test('closed klines of every symbol come with their ids; live ones, others and rubbish do not', async () => {
  const feed = open()
  const taken = take(feed, 2)
  await subscribed()
  expect([...server.openClients[0]!.streams].sort()).toEqual(['btcusdt@kline_1m', 'ethusdt@kline_1m'])
  server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 1, { x: false }))
  server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 1, { v: 'much' }))
  server.send('btcusdt@kline_1m', klineOf('SOLUSDT', 1))
  server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 2))
  server.send('ethusdt@kline_1m', klineOf('ETHUSDT', 3, { n: 0, f: -1, L: -1 }))
  expect((await taken).map(({ symbol, firstTradeId, lastTradeId }) => [symbol, firstTradeId, lastTradeId])).toEqual([
    ['BTCUSDT', 2, 2],
    ['ETHUSDT', -1, -1],
  ])
})

test('after a lost connection it goes on, and when it is stopped every socket is closed', async () => {
  const feed = open()
  const first = take(feed, 1)
  await subscribed()
  server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 1))
  await first
  const next = take(feed, 1)
  server.openClients[0]!.socket.terminate()
  await server.until(() => server.clients.length === 2)
  await subscribed()
  server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 2))
  expect((await next).map(({ openTime }) => openTime)).toEqual([OPEN_TIME + 2 * MINUTE_MS])
  const end = feed.next()
  stop.abort()
  expect((await end).done).toBe(true)
  await server.until(() => server.openClients.length === 0)
})

test('a socket that is silent for longer than a minute can be is replaced', async () => {
  const feed = open({ limits: { silenceMaxMs: 200 } })
  const taken = take(feed, 1)
  await server.until(() => server.clients.length >= 2)
  await subscribed()
  const timer = setInterval(() => server.send('btcusdt@kline_1m', klineOf('BTCUSDT', 1)), 50)
  try {
    expect(await taken).toHaveLength(1)
  } finally {
    clearInterval(timer)
  }
})

test('what is no symbol is refused at once', () => {
  expect(() => open({ symbols: ['btc'] })).toThrow(RangeError)
})
