import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BinanceRest, type BinanceRestOptions, RestError, UnknownSymbolError } from '../src/index.ts'
import { blankedRowOf, RestServer, rowOf } from './rest-server.ts'

let server: RestServer

beforeEach(async () => {
  server = await RestServer.open()
})
afterEach(async () => {
  await server.close()
})

function restOf(options: Partial<BinanceRestOptions> = {}) {
  return new BinanceRest({ apiUrl: server.url, ...options })
}

const infoOf = (symbol: string) => ({
  symbol,
  status: 'TRADING',
  baseAsset: symbol.slice(0, 3),
  quoteAsset: symbol.slice(3),
  quoteAssetPrecision: 8,
  filters: [
    { filterType: 'PRICE_FILTER', tickSize: '0.01000000' },
    { filterType: 'LOT_SIZE', stepSize: '0.00001000' },
  ],
})

describe('a call', () => {
  it('asks what the exchange documents and translates the answer', async () => {
    const bodies: Record<string, unknown> = {
      '/api/v3/time': { serverTime: 1_782_062_234_985 },
      '/api/v3/historicalTrades': [rowOf(7), rowOf(8)],
      '/api/v3/trades': [rowOf(9)],
      '/api/v3/klines': [[60_000, '1.0', '2.0', '0.5', '1.5', '9.0', 119_999, '12.0', 3, '4.0', '5.0', '0']],
    }
    server.answer = ({ path }) => ({ body: bodies[path] })
    const rest = restOf({ apiUrl: `${server.url}/` })
    expect(await rest.serverTime()).toBe(1_782_062_234_985)
    expect((await rest.historicalTrades('BTCUSDT', 7)).map(trade => trade.tradeId)).toEqual([7, 8])
    expect((await rest.latestTrade('BTCUSDT'))?.tradeId).toBe(9)
    const [kline] = await rest.klines('BTCUSDT', '1m', { startTime: 60_000, limit: 1 })
    expect(kline).toMatchObject({ openTime: 60_000, closeTime: 119_999, close: '1.5', takerBuyQuoteVolume: '5.0' })
    expect(server.asked.map(({ path, query }) => [path, query])).toEqual([
      ['/api/v3/time', {}],
      ['/api/v3/historicalTrades', { symbol: 'BTCUSDT', fromId: '7', limit: '1000' }],
      ['/api/v3/trades', { symbol: 'BTCUSDT', limit: '1' }],
      ['/api/v3/klines', { symbol: 'BTCUSDT', interval: '1m', startTime: '60000', limit: '1' }],
    ])
  })

  it('leaves out blanked trades, and knows nothing of a symbol without any', async () => {
    server.answer = ({ path }) => ({ body: path.endsWith('/trades') ? [] : [rowOf(1), blankedRowOf(2), rowOf(3)] })
    const rest = restOf()
    expect((await rest.historicalTrades('BTCUSDT', 1)).map(trade => trade.tradeId)).toEqual([1, 3])
    expect(await rest.latestTrade('BTCUSDT')).toBeUndefined()
  })
})

describe('trade ids by time', () => {
  const spanOf = (a: number, f: number, l: number) => ({
    a,
    f,
    l,
    T: 1_775_571_561_644,
    p: '1',
    q: '1',
    m: true,
    M: true,
  })

  it('are those of the oldest aggregate since then, and of the newest', async () => {
    server.answer = ({ query }) => ({ body: 'startTime' in query ? [spanOf(1, 10, 12)] : [spanOf(5, 40, 44)] })
    const rest = restOf()
    expect(await rest.firstTradeIdSince('BTCUSDT', 1_775_571_561_000)).toBe(10)
    expect(await rest.latestTradeId('BTCUSDT')).toBe(44)
    expect(server.asked.map(({ query }) => query)).toEqual([
      { symbol: 'BTCUSDT', startTime: '1775571561000', limit: '1' },
      { symbol: 'BTCUSDT', limit: '1' },
    ])
  })

  it('are undefined when there is no trade', async () => {
    server.answer = () => ({ body: [] })
    expect(await restOf().firstTradeIdSince('BTCUSDT', 1_775_571_561_000)).toBeUndefined()
    expect(await restOf().latestTradeId('BTCUSDT')).toBeUndefined()
  })

  it('step over what the exchange has blanked', async () => {
    server.answer = ({ path, query }) => {
      if (path === '/api/v3/trades') return { body: [rowOf(77)] }
      return { body: query.fromId === '2' ? [spanOf(2, -1, -1), spanOf(3, 20, 21)] : [spanOf(1, -1, -1)] }
    }
    expect(await restOf().firstTradeIdSince('BTCUSDT', 1_775_571_561_000)).toBe(20)
    expect(await restOf().latestTradeId('BTCUSDT')).toBe(77)
  })
})

describe('statistics of trades', () => {
  const rowOfSymbol = (symbol: string) => ({
    symbol,
    lastPrice: '1.0',
    closeTime: 1_782_062_234_985,
    firstId: 3,
    lastId: 9,
    count: 7,
  })
  const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `SYM${index}USDT`)
  const unknownSymbol = { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } }

  it('are asked for in groups of twenty, and those without a trade in 24 hours are left out', async () => {
    server.answer = ({ query }) => ({
      body: (JSON.parse(query.symbols!) as string[]).map(symbol =>
        symbol === 'SYM1USDT' ? { ...rowOfSymbol(symbol), firstId: -1, lastId: -1, count: 0 } : rowOfSymbol(symbol),
      ),
    })
    const statistics = await restOf({ weightMaxPerMinute: 6 }).tradeStatistics([...namesOf(45), 'SYM0USDT'])
    expect([...statistics.keys()].sort()).toEqual(
      namesOf(45)
        .filter(symbol => symbol !== 'SYM1USDT')
        .sort(),
    )
    expect(statistics.get('SYM3USDT')).toEqual({
      symbol: 'SYM3USDT',
      lastTradeId: 9,
      tradeCount: 7,
      closeTime: 1_782_062_234_985,
    })
    expect(server.asked.map(({ path, query }) => [path, query.type, JSON.parse(query.symbols!).length])).toEqual([
      ['/api/v3/ticker/24hr', 'MINI', 20],
      ['/api/v3/ticker/24hr', 'MINI', 20],
      ['/api/v3/ticker/24hr', 'MINI', 5],
    ])
  })

  it('of so many that groups would cost more are picked from those of all symbols', async () => {
    const wanted = namesOf(781)
    const oddElsewhere = { symbol: 'ODD', lastId: 'none' }
    server.answer = () => ({ body: [oddElsewhere, ...[...wanted, 'OTHERUSDT'].map(rowOfSymbol)] })
    const statistics = await restOf({ weightMaxPerMinute: 80 }).tradeStatistics(wanted)
    expect([...statistics.keys()]).toEqual(wanted)
    expect(server.asked.map(({ query }) => query)).toEqual([{ type: 'MINI' }])
  })

  it('of a group in which the exchange does not know one are left out, other refusals are told', async () => {
    server.answer = ({ query }) => {
      const symbols = JSON.parse(query.symbols!) as string[]
      return symbols.includes('SYM25USDT') ? unknownSymbol : { body: symbols.map(rowOfSymbol) }
    }
    expect((await restOf().tradeStatistics(namesOf(30))).size).toBe(20)
    server.answer = () => ({ body: namesOf(2).map(symbol => ({ ...rowOfSymbol(symbol), lastId: '9' })) })
    await expect(restOf().tradeStatistics(namesOf(2))).rejects.toThrow('lastId of SYM0USDT is not a whole number')
    server.answer = () => ({ status: 503 })
    await expect(restOf().tradeStatistics(namesOf(2))).rejects.toMatchObject({ status: 503, retryable: true })
  })
})

describe('exchangeInfo', () => {
  it('gives symbols in the order asked for', async () => {
    server.answer = () => ({ body: { symbols: [infoOf('BTCUSDT'), infoOf('ETHUSDT')] } })
    const infos = await restOf().exchangeInfo(['ETHUSDT', 'BTCUSDT'])
    expect(infos.map(info => info.symbol)).toEqual(['ETHUSDT', 'BTCUSDT'])
    expect(server.asked[0]?.query).toEqual({ symbols: '["ETHUSDT","BTCUSDT"]' })
  })

  it('finds out which symbols are unknown, since the exchange only refuses the whole', async () => {
    server.answer = ({ query }) =>
      'symbols' in query
        ? { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } }
        : { body: { symbols: [infoOf('BTCUSDT')] } }
    const error = await restOf()
      .exchangeInfo(['BTCUSDT', 'NOSUCH', 'NORTHIS'])
      .catch(error => error)
    expect(error).toBeInstanceOf(UnknownSymbolError)
    expect(error.symbols).toEqual(['NOSUCH', 'NORTHIS'])
    expect(error.message).toBe('the exchange has no symbol "NOSUCH", "NORTHIS"')
  })

  it('does not ask for what cannot be a symbol, and asks once for very many', async () => {
    const symbols = Array.from({ length: 500 }, (_, index) => `C${index}USDT`)
    server.answer = () => ({ body: { symbols: symbols.map(infoOf) } })
    await expect(restOf().exchangeInfo(['BTCUSDT', 'btc&x=1'])).rejects.toMatchObject({ symbols: ['btc&x=1'] })
    expect(server.asked).toEqual([])
    expect(await restOf().exchangeInfo(symbols)).toHaveLength(500)
    expect(server.asked.map(({ query }) => query)).toEqual([{}])
  })
})

describe('a failure', () => {
  const failureOf = async (options?: Partial<BinanceRestOptions>) => {
    const error = await restOf(options)
      .serverTime()
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RestError)
    return error as RestError
  }

  it.each([
    [400, { code: -1100, msg: 'Illegal characters' }, false],
    [404, 'not found', false],
    [451, {}, false],
    [408, {}, true],
    [500, {}, true],
    [503, '<html>', true],
  ])('of status %i says whether asking again can help', async (status, body, retryable) => {
    server.answer = () => ({ status, body })
    const error = await failureOf()
    expect(error).toMatchObject({ status, retryable })
    if (status === 400) expect(error).toMatchObject({ code: -1100, message: '/api/v3/time: 400 Illegal characters' })
  })

  it('to give a proper answer can be asked again', async () => {
    server.answer = () => ({ body: '<html>welcome to the hotel</html>' })
    expect(await failureOf()).toMatchObject({ status: 200, retryable: true })
    server.answer = () => ({ body: { time: 1 } })
    expect(await failureOf()).toMatchObject({ status: 200, retryable: true })
    server.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{')
      response.destroy()
      return undefined
    }
    expect(await failureOf()).toMatchObject({ status: 0, retryable: true })
  })

  it('of rows whose ids fall back or come before what was asked is one, too', async () => {
    for (const rows of [[rowOf(8), rowOf(7)], [rowOf(7), rowOf(7)], [rowOf(6)], [{ ...rowOf(7), price: 1 }], {}]) {
      server.answer = () => ({ body: rows })
      const asked = restOf().historicalTrades('BTCUSDT', 7)
      await expect(asked).rejects.toMatchObject({ name: 'RestError', retryable: true })
    }
  })

  it('to answer in time, or to be there at all, can be asked again', async () => {
    server.answer = () => undefined
    expect(await failureOf({ requestTimeoutMs: 30 })).toMatchObject({ status: 0, retryable: true })
    const gone = await RestServer.open()
    const apiUrl = gone.url
    await gone.close()
    expect(await failureOf({ apiUrl })).toMatchObject({ status: 0, message: expect.stringContaining('ECONNREFUSED') })
  })

  it('to stay on the configured host is one: redirects are refused', async () => {
    server.answer = () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })
    expect(await failureOf()).toMatchObject({ status: 0 })
    expect(server.asked).toHaveLength(1)
  })

  it('ends at once when aborted, under way or waiting', async () => {
    server.answer = () => undefined
    const stop = new AbortController()
    const rest = restOf({ signal: stop.signal })
    const all = Promise.allSettled(Array.from({ length: 12 }, () => rest.serverTime()))
    await server.untilAsked(10)
    stop.abort(new Error('stopping'))
    for (const result of await all) expect(result).toMatchObject({ reason: { message: 'stopping' } })
    expect(server.asked).toHaveLength(10)
  })
})

describe('the limits', () => {
  it.each([
    [429, '1', 1_000],
    [418, '1', 1_000],
  ])('%i stops every request until Retry-After', async (status, seconds, stopMs) => {
    server.answer = () =>
      server.asked.length === 1
        ? { status, headers: { 'retry-after': seconds }, body: { code: -1003, msg: 'Too many requests.' } }
        : { body: { serverTime: 1 } }
    const stops: number[] = []
    const rest = restOf({ onStop: of => stops.push(of) })
    const error = await rest.serverTime().catch(error => error)
    expect(error).toMatchObject({ status, retryAfterMs: stopMs, retryable: true, code: -1003 })
    expect(stops).toEqual([status])
    await Promise.all([rest.serverTime(), rest.serverTime()])
    const [refused, ...later] = server.asked
    // The pause begins when the refusal arrives, so after the server has seen the request.
    for (const { time } of later) expect(time - refused!.time).toBeGreaterThanOrEqual(stopMs - 5)
  })

  it('403 stops for a minute, since the firewall does not say for how long', async () => {
    server.answer = () => ({ status: 403, body: '<html>' })
    const rest = restOf()
    const error = await rest.serverTime().catch(error => error)
    expect(error).toMatchObject({ status: 403, retryAfterMs: 60_000, retryable: true })
  })

  it('of weight are kept: nothing is sent that does not fit', async () => {
    server.answer = () => ({ body: [] })
    const stop = new AbortController()
    const rest = restOf({ weightMaxPerMinute: 60, signal: stop.signal })
    const fitting = [rest.historicalTrades('BTCUSDT', 1), rest.historicalTrades('BTCUSDT', 2)]
    const waiting = rest.historicalTrades('BTCUSDT', 3)
    await Promise.all(fitting)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(server.asked.map(({ query }) => query.fromId)).toEqual(['1', '2'])
  })

  it('of weight include what the exchange has counted for others at our address', async () => {
    server.answer = () => ({ body: { serverTime: 1 }, headers: { 'x-mbx-used-weight-1m': '4790' } })
    const stop = new AbortController()
    const rest = restOf({ signal: stop.signal })
    await rest.serverTime()
    const waiting = rest.historicalTrades('BTCUSDT', 1)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(server.asked).toHaveLength(1)
  })
})
