import { NEEDS_RECORDINGS, RECORDINGS, recordedText } from '@chart/testkit'
import { describe, expect, it } from 'vitest'
import { klinesOf, serverTimeOf, symbolInfosOf, tradeSpansOf } from './rest-message.ts'
import { MalformedMessageError } from './trade-message.ts'

const ETHBTC = {
  symbol: 'ETHBTC',
  status: 'TRADING',
  baseAsset: 'ETH',
  quoteAsset: 'BTC',
  quoteAssetPrecision: 8,
  filters: [
    { filterType: 'PRICE_FILTER', minPrice: '0.00001000', maxPrice: '922327.00000000', tickSize: '0.00001000' },
    { filterType: 'LOT_SIZE', minQty: '0.00010000', maxQty: '100000.00000000', stepSize: '0.00010000' },
  ],
}

describe('exchangeInfo', () => {
  it('gives the wanted symbols and is not harmed by others', () => {
    const answer = { symbols: [{ symbol: 'ODD' }, ETHBTC] }
    expect(symbolInfosOf(answer, new Set(['ETHBTC']))).toEqual([
      {
        symbol: 'ETHBTC',
        status: 'TRADING',
        baseAsset: 'ETH',
        quoteAsset: 'BTC',
        scales: { price: 8, quantity: 8, quote: 8 },
        tickSize: '0.00001000',
        stepSize: '0.00010000',
        simulated: false,
      },
    ])
    expect(() => symbolInfosOf(answer, new Set(['ODD']))).toThrow(MalformedMessageError)
  })

  it.each([
    { quoteAssetPrecision: '8' },
    { quoteAssetPrecision: 40 },
    { filters: [] },
    { filters: null },
    { status: 1 },
  ])('is malformed with %j', fields => {
    const answer = { symbols: [{ ...ETHBTC, ...fields }] }
    expect(() => symbolInfosOf(answer, new Set(['ETHBTC']))).toThrow(MalformedMessageError)
  })
})

describe('other answers', () => {
  it.each([{}, [1], [[1, 2]], [['1588740120000']], null])('klines are malformed as %j', answer => {
    expect(() => klinesOf(answer)).toThrow(MalformedMessageError)
  })

  it('say which trades an aggregate stands for, also a blanked one', () => {
    const rows = [
      { a: 1, p: '67774.00000000', q: '0.01475000', f: 10, l: 12, T: 1775571561644, m: false, M: true },
      { a: 2, p: '0.00000000', q: '0.00000000', f: -1, l: -1, T: 1775571561644, m: false, M: true },
    ]
    expect(tradeSpansOf(rows)).toEqual([
      { aggregateId: 1, firstTradeId: 10, lastTradeId: 12 },
      { aggregateId: 2, firstTradeId: -1, lastTradeId: -1 },
    ])
    expect(() => tradeSpansOf([{}])).toThrow(MalformedMessageError)
  })

  it('tell the time', () => {
    expect(serverTimeOf({ serverTime: 1782062234985 })).toBe(1782062234985)
    expect(() => serverTimeOf({ serverTime: 'now' })).toThrow(MalformedMessageError)
  })
})

describe.skipIf(RECORDINGS === undefined)(`recordings${NEEDS_RECORDINGS}`, () => {
  it('every symbol of a full exchangeInfo is understood', () => {
    const answer = JSON.parse(recordedText('cryptofeed-exchangeInfo-20230410.json.gz'))
    const names = new Set<string>(answer.symbols.map((row: { symbol: string }) => row.symbol))
    const infos = symbolInfosOf(answer, names)
    expect(infos).toHaveLength(names.size)
    expect(infos.find(info => info.symbol === 'BTCUSDT')).toMatchObject({
      tickSize: '0.01000000',
      stepSize: '0.00001000',
      simulated: false,
      scales: { quote: 8 },
    })
  })

  it('klines keep every digit', () => {
    const rows = JSON.parse(recordedText('gct-rest-klines-BTCUSDT-1m-20200506.json'))
    const klines = klinesOf(rows)
    expect(klines).toHaveLength(60)
    for (const [index, kline] of klines.entries()) {
      expect([
        kline.openTime,
        kline.open,
        kline.high,
        kline.low,
        kline.close,
        kline.baseVolume,
        kline.closeTime,
        kline.quoteVolume,
        kline.tradeCount,
        kline.takerBuyBaseVolume,
        kline.takerBuyQuoteVolume,
      ]).toEqual(rows[index].slice(0, 11))
    }
  })

  it('aggregate trades name their trades', () => {
    const rows = JSON.parse(recordedText('gct-rest-aggTrades-BTCUSDT-5-20260407.json'))
    expect(tradeSpansOf(rows)[1]).toEqual({
      aggregateId: 3928743435,
      firstTradeId: 6193332803,
      lastTradeId: 6193332818,
    })
  })
})
