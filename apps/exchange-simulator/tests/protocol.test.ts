import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type ExchangeSimulatorOptions, startExchangeSimulator } from '../src/exchange-simulator.ts'
import { getJson, openStream } from './stream-client.ts'

const market = { symbols: ['BTCUSDT', 'ETHBTC'], tradesPerSecond: 400, burstiness: 0 }
const start = (options: ExchangeSimulatorOptions = {}) => startExchangeSimulator({ market, ...options })

interface TradeRow {
  id: number
  price: string
  qty: string
  time: number
  isBuyerMaker: boolean
}

test('historicalTrades has exactly the trades that the socket sent, contiguous and with times that never decrease', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  const sent = (await client.until(frames => frames.length >= 300)).slice(0, 300)
  const { body } = await getJson<TradeRow[]>(
    `${exchange.url}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${sent[0]!.t}&limit=300`,
  )
  expect(sent.map(frame => [frame.t, frame.p, frame.q, frame.T, frame.m])).toEqual(
    body.map(row => [row.id, row.price, row.qty, row.time, row.isBuyerMaker]),
  )
  for (const [index, frame] of sent.entries()) {
    expect(frame.t).toBe((sent[0]!.t as number) + index)
    expect(frame.T).toBeLessThanOrEqual(frame.E as number)
    if (index > 0) expect(frame.T).toBeGreaterThanOrEqual(sent[index - 1]!.T as number)
  }
})

test('aggregate trades cover every trade once, on the socket and by REST, whichever way they are asked for', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@aggTrade`)
  const sent = (await client.until(frames => frames.length >= 50)).slice(0, 50)
  for (const [index, frame] of sent.entries()) if (index > 0) expect(frame.f).toBe((sent[index - 1]!.l as number) + 1)
  const rows = async (query: string) =>
    (await getJson<Record<string, unknown>[]>(`${exchange.url}/api/v3/aggTrades?symbol=BTCUSDT&${query}`)).body
  const shape = (row: Record<string, unknown>) => [row.a, row.f, row.l, row.p, row.q, row.T, row.m]
  expect((await rows(`fromId=${sent[0]!.a}&limit=50`)).map(shape)).toEqual(sent.map(shape))
  const last = sent.at(-1)!
  const sameTime = sent.filter(frame => frame.T === last.T).length
  const until = await rows(`endTime=${(last.T as number) - 1}&limit=5`)
  expect(until.map(shape)).toEqual(sent.slice(-5 - sameTime, -sameTime).map(shape))
  const since = await rows(`startTime=${sent[0]!.T}&endTime=${(last.T as number) - 1}&limit=1000`)
  expect(since.slice(-20).map(shape)).toEqual(sent.slice(-20 - sameTime, -sameTime).map(shape))
})

test('a combined stream in microseconds names its streams and multiplies every time', async () => {
  await using exchange = await start()
  await using client = await openStream(
    `${exchange.streamUrl}/stream?streams=btcusdt@trade/ethbtc@bookTicker&timeUnit=MICROSECOND`,
  )
  const frames = await client.until(all =>
    ['btcusdt@trade', 'ethbtc@bookTicker'].every(s => all.some(f => f.stream === s)),
  )
  const trade = frames.find(frame => frame.stream === 'btcusdt@trade')!.data!
  expect(trade.T).toBeGreaterThan(1e15)
  expect((trade.T as number) % 1000).toBe(0)
  const book = frames.find(frame => frame.stream === 'ethbtc@bookTicker')!.data!
  expect(book).not.toHaveProperty('e')
  expect(Number(book.a)).toBeGreaterThan(Number(book.b))
})

test('requests are answered as the exchange answers them, and an unknown symbol with silence', async () => {
  await using exchange = await start({ limits: { clientMessagesMax: 100 } })
  await using client = await openStream(`${exchange.streamUrl}/ws`)
  const answer = async (message: unknown, id: unknown) => {
    client.send(message)
    return (await client.until(frames => frames.some(frame => frame.id === id))).find(frame => frame.id === id)
  }
  expect(await answer({ method: 'SUBSCRIBE', params: ['nosuch@trade'], id: 'a1' }, 'a1')).toEqual({
    result: null,
    id: 'a1',
  })
  expect(await answer({ method: 'LIST_SUBSCRIPTIONS', id: 2 }, 2)).toEqual({ result: ['nosuch@trade'], id: 2 })
  expect(await answer({ method: 'GET_PROPERTY', params: ['combined'], id: 3 }, 3)).toEqual({ result: false, id: 3 })
  expect(await answer({ method: 'GET_PROPERTY', params: ['colour'], id: 4 }, 4)).toMatchObject({ code: 0 })
  expect(await answer({ method: 'SET_PROPERTY', params: ['combined', 1], id: 5 }, 5)).toMatchObject({ code: 1 })
  expect(await answer({ method: 'BUY', id: 6 }, 6)).toMatchObject({ code: 2 })
  expect(await answer('{"method":', null)).toMatchObject({ code: 3 })
  expect(await answer({ method: 'SET_PROPERTY', params: ['combined', true], id: 7 }, 7)).toEqual({
    result: null,
    id: 7,
  })
  await answer({ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 8 }, 8)
  await client.until(frames => frames.some(frame => frame.stream === 'btcusdt@trade'))
  await answer({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 9 }, 9)
  expect(client.frames.some(frame => frame.stream === 'nosuch@trade')).toBe(false)
  const streams = Array.from({ length: 1025 }, (_, index) => `s${index}@trade`)
  expect(await answer({ method: 'SUBSCRIBE', params: streams, id: 10 }, 10)).toMatchObject({ code: 2 })
})

test('the sixth message of a second disconnects', async () => {
  await using exchange = await start()
  await using client = await openStream(`${exchange.streamUrl}/ws`)
  for (let id = 1; id <= 6; id++) client.send({ method: 'LIST_SUBSCRIPTIONS', id })
  expect(await client.closed).toBe(1008)
  expect(client.frames.map(frame => frame.id)).toEqual([1, 2, 3, 4, 5])
})

test('more connections than allowed are answered with 429', async () => {
  await using exchange = await start({ limits: { connectionsMax: 2 } })
  await using _first = await openStream(`${exchange.streamUrl}/ws`)
  await using _second = await openStream(`${exchange.streamUrl}/ws`)
  const third = new WebSocket(`${exchange.streamUrl}/ws`)
  const [, response] = await once(third, 'unexpected-response')
  expect(response.statusCode).toBe(429)
  response.resume()
})

test('who answers pings stays, who does not is dropped', async () => {
  await using exchange = await start({ limits: { pingIntervalMs: 300, pongTimeoutMs: 700 } })
  await using good = await openStream(`${exchange.streamUrl}/ws`)
  const mute = new WebSocket(`${exchange.streamUrl}/ws`, { autoPong: false })
  await once(mute, 'close')
  expect(good.socket.readyState).toBe(WebSocket.OPEN)
  await getStatusUntil(exchange.url, status => status.connections === 1)
})

test('a connection is closed at its age', async () => {
  await using exchange = await start({ limits: { lifetimeMs: 50 } })
  await using client = await openStream(`${exchange.streamUrl}/ws`)
  expect(await client.closed).toBe(1008)
})

test('a client that does not read is dropped at the bound of the send buffer', async () => {
  await using exchange = await startExchangeSimulator({
    market: { symbols: ['BTCUSDT'], tradesPerSecond: 20_000, burstiness: 0 },
    limits: { sendBufferBytesMax: 100_000 },
  })
  await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade`)
  const dropped = getStatusUntil(exchange.url, status => status.connections === 0)
  client.socket.pause()
  await dropped
})

async function getStatusUntil(url: string, holds: (status: { connections: number }) => boolean): Promise<void> {
  while (!holds((await getJson<{ connections: number }>(`${url}/control/status`)).body));
}

test('exchangeInfo tells assets, status and sizes; other questions get the exchange’s errors', async () => {
  await using exchange = await start()
  const { body, headers } = await getJson<{ symbols: Record<string, unknown>[] }>(
    `${exchange.url}/api/v3/exchangeInfo?symbols=["ETHBTC"]`,
  )
  expect(headers.get('x-mbx-used-weight-1m')).toBe('20')
  expect(body.symbols).toHaveLength(1)
  expect(body.symbols[0]).toMatchObject({
    symbol: 'ETHBTC',
    status: 'TRADING',
    baseAsset: 'ETH',
    quoteAsset: 'BTC',
    quoteAssetPrecision: 8,
    simulated: true,
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.00001000' },
      { filterType: 'LOT_SIZE', stepSize: '0.00010000' },
    ],
  })
  for (const [path, code] of [
    ['trades?symbol=NOSUCH', -1121],
    ['trades', -1102],
    ['trades?symbol=BTC%20USDT', -1100],
    ['trades?symbol=BTCUSDT&limit=0', -1130],
    ['klines?symbol=BTCUSDT&interval=7m', -1120],
    ['klines?symbol=BTCUSDT', -1102],
    ['aggTrades?symbol=BTCUSDT&fromId=1&startTime=1', -1128],
    ['ticker/24hr?symbol=BTCUSDT&type=HUGE', -1139],
    ['ticker/24hr?symbols=["BTCUSDT","NOSUCH"]', -1121],
  ] as const) {
    const { status, body } = await getJson<{ code: number }>(`${exchange.url}/api/v3/${path}`)
    expect([path, status, body.code]).toEqual([path, 400, code])
  }
})

/** A market in which one symbol has trades and a hundred have none. */
const MANY = ['BTCUSDT', ...Array.from({ length: 100 }, (_, index) => `SYM${index}USDT`)]
const startMany = () =>
  start({
    market: {
      symbols: MANY,
      rates: Object.fromEntries(MANY.map((name, index) => [name, index === 0 ? 400 : 0])),
      burstiness: 0,
    },
  })
const statisticsOf = (count: number) => `?symbols=${encodeURIComponent(JSON.stringify(MANY.slice(0, count)))}`

test('statistics of 24 hours tell the newest trades by the end of their time', async () => {
  await using exchange = await startMany()
  interface Row {
    symbol: string
    closeTime: number
    firstId: number
    lastId: number
    count: number
  }
  const ask = async <T>(query: string) => (await getJson<T>(`${exchange.url}/api/v3/ticker/24hr${query}`)).body
  const { lastId, closeTime, firstId, count } = await ask<Row>('?symbol=BTCUSDT&type=MINI')
  expect(count).toBe(lastId - firstId + 1)
  const { body: rows } = await getJson<TradeRow[]>(
    `${exchange.url}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${lastId}&limit=2`,
  )
  expect(rows[0]!.time).toBeLessThan(closeTime)
  if (rows[1] !== undefined) expect(rows[1].time).toBeGreaterThanOrEqual(closeTime)
  const twenty = await ask<Row[]>(statisticsOf(20))
  expect(twenty.map(({ symbol }) => symbol)).toEqual(MANY.slice(0, 20))
  expect(twenty[1]).toMatchObject({ symbol: 'SYM0USDT', firstId: -1, lastId: -1, count: 0 })
  expect(await ask<Row[]>('')).toHaveLength(101)
})

/** What `measure` gives when all of it falls into one minute of the clock, which is how long weight is counted. */
async function inOneMinute<T>(measure: () => Promise<T>): Promise<T> {
  const minute = () => Math.floor(Date.now() / 60_000)
  for (;;) {
    const begun = minute()
    const measured = await measure()
    if (minute() === begun) return measured
  }
}

test('statistics have the exchange’s weights', async () => {
  const queries = ['?symbol=BTCUSDT&type=MINI', ...[20, 21, 100, 101].map(statisticsOf), '']
  const used = await inOneMinute(async () => {
    await using exchange = await startMany()
    const used = [0]
    for (const query of queries) {
      const { headers } = await getJson(`${exchange.url}/api/v3/ticker/24hr${query}`)
      used.push(Number(headers.get('x-mbx-used-weight-1m')))
    }
    return used
  })
  expect(queries.map((_, index) => used[index + 1]! - used[index]!)).toEqual([2, 2, 40, 40, 80, 80])
})

test('past the weight of a minute REST answers 429, and 418 to who goes on', async () => {
  const answers = await inOneMinute(async () => {
    await using exchange = await start({ limits: { weightMax: 60, refusalsMax: 1 } })
    const answers: { status: number; retryAfter: number }[] = []
    for (let request = 0; request < 5; request++) {
      const { status, headers } = await getJson(`${exchange.url}/api/v3/trades?symbol=BTCUSDT&limit=1`)
      answers.push({ status, retryAfter: Number(headers.get('retry-after')) })
    }
    return answers
  })
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 418, 418])
  for (const { status, retryAfter } of answers) if (status !== 200) expect(retryAfter).toBeGreaterThan(0)
})
