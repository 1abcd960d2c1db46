import { formatDecimal } from '@chart/market'
import { NEEDS_RECORDINGS, RECORDINGS, recordedText } from '@chart/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { feedMessageOf, MalformedMessageError, tradeMessageOfBytes, tradeOfRestRow } from './trade-message.ts'

/** Captured frames, as the exchange sent them. */
const TRADE =
  '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
const RAW_TRADE =
  '{"e":"trade","E":1723161255619,"s":"BTCUSDT","t":3735683260,"p":"61837.63000000","q":"0.04800000","T":1723161255617,"m":false,"M":true}'
/** From before 2024-06-18, with order ids b and a. */
const OLD_TRADE =
  '{"stream":"bnbbtc@trade","data":{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.00100000","q":"100.00000000","b":88,"a":50,"T":1672515782136,"m":true,"M":true}}'
const KLINE =
  '{"stream":"xemusdt@kline_1m","data":{"e":"kline","E":1681154040004,"s":"XEMUSDT","k":{"t":1681153980000,"T":1681154039999,"s":"XEMUSDT","i":"1m","f":35012468,"L":35012468,"o":"0.04110000","c":"0.04110000","h":"0.04110000","l":"0.04110000","v":"243.00000000","n":1,"x":true,"q":"9.98730000","V":"243.00000000","Q":"9.98730000","B":"0"}}}'
const BOOK_TICKER =
  '{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}'

/** The trade of TRADE with some fields replaced; undefined removes one. */
function frameWith(fields: Record<string, unknown>): string {
  const { data } = JSON.parse(TRADE)
  return JSON.stringify({ stream: 'btcusdt@trade', data: { ...data, ...fields } })
}

/** Both ways, which must say the same. */
function bothWays(text: string) {
  const message = feedMessageOf(text)
  expect(feedMessageOf(Buffer.from(text))).toEqual(message)
  return message
}

describe('a frame of the stream', () => {
  it('is a trade, exact, with the taker on the side that the buyer being maker leaves', () => {
    expect(bothWays(TRADE)).toEqual({
      kind: 'trade',
      symbol: 'BTCUSDT',
      eventTime: 1723161255343,
      trade: {
        tradeId: 3735683259,
        tradeTime: 1723161255342,
        price: 6183763000000n,
        quantity: 2000000n,
        takerSide: 'sell',
      },
    })
    expect(bothWays(RAW_TRADE)).toMatchObject({ trade: { tradeId: 3735683260, takerSide: 'buy' } })
    expect(bothWays(OLD_TRADE)).toMatchObject({ kind: 'trade', symbol: 'BNBBTC', trade: { quantity: 100_00000000n } })
  })

  it('is a pulse when it is no trade and has an event time', () => {
    expect(bothWays(KLINE)).toEqual({ kind: 'pulse', eventTime: 1681154040004 })
  })

  it('is something else without one', () => {
    expect(bothWays(BOOK_TICKER)).toEqual({ kind: 'other' })
    expect(bothWays('{"stream":"!miniTicker@arr","data":[]}')).toEqual({ kind: 'other' })
    expect(bothWays('{}')).toEqual({ kind: 'other' })
  })

  it('is an answer, refused in either form or granted', () => {
    expect(bothWays('{"result":null,"id":1}')).toEqual({ kind: 'answer', id: 1 })
    const error = { code: 2, msg: 'Invalid request' }
    expect(bothWays('{"code":2,"msg":"Invalid request","id":"a"}')).toEqual({ kind: 'answer', id: 'a', error })
    expect(bothWays('{"error":{"code":2,"msg":"Invalid request"},"id":3}')).toEqual({ kind: 'answer', id: 3, error })
    expect(bothWays('{"code":3,"msg":"Invalid JSON"}')).toMatchObject({ kind: 'answer', id: null, error: { code: 3 } })
  })

  it('is a shutdown, bare or in an envelope', () => {
    expect(bothWays('{"e":"serverShutdown","E":1770123456789}')).toEqual({ kind: 'shutdown' })
    const enveloped = '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}'
    expect(bothWays(enveloped)).toEqual({ kind: 'shutdown' })
  })

  it.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['cut short', TRADE.slice(0, -2)],
    ['something after it', `${TRADE}x`],
    ['a number', '17'],
    ['null', 'null'],
    ['data that is no object', '{"stream":"btcusdt@trade","data":1}'],
    ['a price as a number', frameWith({ p: 61837.63 })],
    ['a price of nine decimals', frameWith({ p: '61837.630000001' })],
    ['a price with an exponent', frameWith({ p: '6e4' })],
    ['a price of zero', frameWith({ p: '0.00000000' })],
    ['a negative price', frameWith({ p: '-61837.63000000' })],
    ['a quantity of zero', frameWith({ q: '0.00000000' })],
    ['a price of a thousand digits', frameWith({ p: '1'.repeat(1000) })],
    ['no price', frameWith({ p: undefined })],
    ['an id as a text', frameWith({ t: '3735683259' })],
    ['an id with a fraction', frameWith({ t: 1.5 })],
    ['a negative id', frameWith({ t: -1 })],
    ['an id past 2^53', TRADE.replace('3735683259', '9007199254740993')],
    ['an id with a leading zero', TRADE.replace('3735683259', '03735683259')],
    ['times in microseconds', frameWith({ T: 1723161255342000, E: 1723161255343000 })],
    ['a trade time of zero', frameWith({ T: 0 })],
    ['an event time an hour from the trade time', frameWith({ E: 1723161255342 + 3_600_001 })],
    ['no event time', frameWith({ E: undefined })],
    ['a maker that is neither true nor false', frameWith({ m: 1 })],
    ['a symbol that would break a key', frameWith({ s: 'BTC:USDT' })],
    ['no symbol', frameWith({ s: undefined })],
    ['a pulse in microseconds', KLINE.replace('1681154040004', '1681154040004000')],
  ])('is malformed with %s, and says why', (_, text) => {
    const message = bothWays(text)
    expect(message).toMatchObject({ kind: 'malformed', reason: expect.stringMatching(/./) })
  })

  it('is read as bytes only when every byte is as usual', () => {
    expect(tradeMessageOfBytes(Buffer.from(TRADE))).toBeDefined()
    expect(tradeMessageOfBytes(Buffer.from(RAW_TRADE))).toBeDefined()
    for (const unusual of [OLD_TRADE, KLINE, TRADE.replace(':', ': '), `${TRADE} `, `{${RAW_TRADE}`]) {
      expect(tradeMessageOfBytes(Buffer.from(unusual))).toBeUndefined()
    }
  })
})

describe('read as bytes', () => {
  it.each(['7.00000001', '9999999.99999999', '10000000.00000001', '81234567.00000000', '900719925474099.12345678'])(
    'a quantity of %s is exact',
    quantity => {
      const message = tradeMessageOfBytes(Buffer.from(frameWith({ q: quantity })))
      expect(message).toMatchObject({ trade: { quantity: BigInt(quantity.replace('.', '')) } })
    },
  )

  it.each(['1.0000000', '1.000000000', '.00000000', '1.', '1', '1000000000000000.00000000'])(
    'a quantity of %s is left to JSON.parse',
    quantity => {
      expect(tradeMessageOfBytes(Buffer.from(frameWith({ q: quantity })))).toBeUndefined()
    },
  )

  it('many symbols, more than are remembered, each keep their own name', () => {
    const symbols = Array.from({ length: 10_000 }, (_, index) => `${index.toString(36).toUpperCase()}USDT`)
    const readSymbols = () =>
      symbols.map(symbol => {
        const message = tradeMessageOfBytes(Buffer.from(TRADE.replace('BTCUSDT', symbol)))
        return message?.kind === 'trade' ? message.symbol : message?.kind
      })
    expect(readSymbols()).toEqual(symbols)
    expect(readSymbols()).toEqual(symbols)
  })
})

describe('bytes and JSON.parse say the same', () => {
  const digits = fc.stringMatching(/^[0-9]{1,12}$/)
  const decimal = fc.oneof(
    fc.tuple(digits, fc.stringMatching(/^[0-9]{8}$/)).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.stringMatching(/^-?[0-9]{0,20}\.?[0-9]{0,12}$/),
    fc.string({ maxLength: 5 }),
  )
  const values = fc.record({
    E: fc.oneof(fc.constant(1723161255343), fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    s: fc.oneof(fc.constant('BTCUSDT'), fc.stringMatching(/^[A-Z0-9]{0,34}$/), fc.string()),
    t: fc.oneof(fc.nat(), fc.maxSafeNat(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    p: decimal,
    q: decimal,
    T: fc.oneof(fc.constant(1723161255342), fc.maxSafeNat()),
    m: fc.oneof(fc.boolean(), fc.constant(null)),
  })

  it('for any values', () => {
    fc.assert(
      fc.property(values, fc.boolean(), (fields, enveloped) => {
        const data = { e: 'trade', ...fields, M: true }
        bothWays(JSON.stringify(enveloped ? { stream: 'btcusdt@trade', data } : data))
      }),
      { numRuns: 2_000 },
    )
  })

  it('for any order of keys, missing ones, repeated ones and any spacing', () => {
    const { data } = JSON.parse(TRADE) as { data: Record<string, unknown> }
    const keys = fc.array(fc.constantFrom(...Object.keys(data)), { minLength: 6, maxLength: 12 })
    const space = fc.constantFrom('', '', ' ', '\n', '\t')
    fc.assert(
      fc.property(fc.oneof(fc.constant(Object.keys(data)), keys), fc.array(space), (names, spaces) => {
        let taken = 0
        const gap = () => spaces[taken++] ?? ''
        const fields = names.map(name => `${gap()}"${name}"${gap()}:${gap()}${JSON.stringify(data[name])}${gap()}`)
        bothWays(`{"stream":"btcusdt@trade","data":{${fields.join(',')}}}`)
      }),
      { numRuns: 1_000 },
    )
  })

  it('for texts written with escapes', () => {
    for (const text of ['BTCUSDT', '61837.63000000', 'trade', 'stream', 'btcusdt@trade']) {
      const first = text.charCodeAt(0).toString(16).padStart(4, '0')
      expect(bothWays(TRADE.replace(text, `\\u${first}${text.slice(1)}`)).kind).toBe('trade')
    }
  })

  it('for any bytes changed, dropped or put in', () => {
    const mutation = fc.record({
      at: fc.nat(Buffer.byteLength(TRADE)),
      drop: fc.nat(3),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom('0', '1', '.', '"', ',', '}', '{', ' ', '-', 'e').map(text => Buffer.from(text)),
      ),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(TRADE, RAW_TRADE),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (text, all) => {
          let frame = Buffer.from(text)
          for (const { at, drop, insert } of all) {
            frame = Buffer.concat([frame.subarray(0, at), insert, frame.subarray(at + drop)])
          }
          expect(feedMessageOf(frame)).toEqual(feedMessageOf(frame.toString('utf8')))
        },
      ),
      { numRuns: 10_000 },
    )
  })
})

describe('a REST row', () => {
  const ROW = {
    id: 6193332822,
    isBestMatch: true,
    isBuyerMaker: false,
    price: '67774.00000000',
    qty: '0.00008000',
    quoteQty: '5.42192000',
    time: 1775571561875,
  }

  it('is a trade', () => {
    expect(tradeOfRestRow(ROW)).toEqual({
      tradeId: 6193332822,
      tradeTime: 1775571561875,
      price: 6777400000000n,
      quantity: 8000n,
      takerSide: 'buy',
    })
    expect(tradeOfRestRow({ ...ROW, isBuyerMaker: true })?.takerSide).toBe('sell')
  })

  it('is no trade when the exchange has blanked it', () => {
    expect(tradeOfRestRow({ ...ROW, price: '0.00000000', qty: '0.00000000' })).toBeUndefined()
  })

  it.each([
    { price: '0.00000000' },
    { qty: '0' },
    { price: 67774 },
    { id: '1' },
    { time: undefined },
    { time: 1 },
    { isBuyerMaker: 'no' },
    { qty: '0.000080001' },
  ])('is malformed with %j', fields => {
    expect(() => tradeOfRestRow({ ...ROW, ...fields })).toThrow(MalformedMessageError)
  })

  it('is malformed when it is no object', () => {
    for (const row of [null, 1, 'x', [ROW]]) expect(() => tradeOfRestRow(row)).toThrow(MalformedMessageError)
  })
})

describe.skipIf(RECORDINGS === undefined)(`recordings${NEEDS_RECORDINGS}`, () => {
  const linesOf = (name: string) =>
    recordedText(name)
      .split('\n')
      .filter(line => line !== '')

  it('hftbacktest trades: every frame is a trade read as bytes, ids without a gap', () => {
    let previousId: number | undefined
    for (const line of linesOf('hftbacktest-btcusdt-trade-20240808T2354.raw.gz')) {
      const text = line.slice(line.indexOf(' ') + 1)
      const message = tradeMessageOfBytes(Buffer.from(text))
      if (message?.kind !== 'trade') throw new Error(`not read as bytes: ${text}`)
      expect(message).toEqual(feedMessageOf(text))
      const { data } = JSON.parse(text)
      expect(formatDecimal(message.trade.price, 8)).toBe(data.p)
      expect(formatDecimal(message.trade.quantity, 8)).toBe(data.q)
      if (previousId !== undefined) expect(message.trade.tradeId).toBe(previousId + 1)
      previousId = message.trade.tradeId
    }
    expect(previousId).toBe(3735692996)
  })

  it.each([
    ['hftbacktest-btcusdt-mixed-streams-head3000.raw.gz', 0, ' '],
    ['cryptofeed-binance-ws-20210417.raw.gz', 1, ': '],
    ['cryptofeed-binance-ws-20211012.raw.gz', 1, ': '],
    ['cryptofeed-binancetr-ws-20230410.raw.gz', 1, ': '],
  ])('%s: every frame is a trade, a pulse or something else', (name, header, separator) => {
    const kinds: Record<string, number> = {}
    for (const line of linesOf(name).slice(header)) {
      const text = line.slice(line.indexOf(separator) + separator.length)
      const message = bothWays(text)
      if (!['trade', 'pulse', 'other', 'answer'].includes(message.kind)) {
        throw new Error(`${JSON.stringify(message)} ${text.slice(0, 200)}`)
      }
      kinds[message.kind] = (kinds[message.kind] ?? 0) + 1
    }
    expect(kinds.pulse).toBeGreaterThan(0)
    expect(kinds.other).toBeGreaterThan(0)
  })
})
