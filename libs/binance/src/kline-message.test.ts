import { NEEDS_RECORDINGS, RECORDINGS, recordedLines } from '@chart/testkit'
import { describe, expect, it } from 'vitest'
import { klineMessageOf } from './kline-message.ts'
import { MalformedMessageError } from './trade-message.ts'

/** Captured frames, as the exchange sent them. */
const CLOSED =
  '{"stream":"xemusdt@kline_1m","data":{"e":"kline","E":1681154040004,"s":"XEMUSDT","k":{"t":1681153980000,"T":1681154039999,"s":"XEMUSDT","i":"1m","f":35012468,"L":35012468,"o":"0.04110000","c":"0.04110000","h":"0.04110000","l":"0.04110000","v":"243.00000000","n":1,"x":true,"q":"9.98730000","V":"243.00000000","Q":"9.98730000","B":"0"}}}'
const FLAT =
  '{"stream":"belbtc@kline_1m","data":{"e":"kline","E":1681154040004,"s":"BELBTC","k":{"t":1681153980000,"T":1681154039999,"s":"BELBTC","i":"1m","f":-1,"L":-1,"o":"0.00002369","c":"0.00002369","h":"0.00002369","l":"0.00002369","v":"0.00000000","n":0,"x":true,"q":"0.00000000","V":"0.00000000","Q":"0.00000000","B":"0"}}}'
const LIVE =
  '{"e":"kline","E":1633998523963,"s":"NKNUSDT","k":{"t":1633998480000,"T":1633998539999,"s":"NKNUSDT","i":"1m","f":19862761,"L":19862790,"o":"0.35270000","c":"0.35280000","h":"0.35280000","l":"0.35220000","v":"25877.00000000","n":30,"x":false,"q":"9116.04600000","V":"58.00000000","Q":"20.46240000","B":"0"}}'

/** CLOSED with some fields of k replaced; undefined removes one. */
function frameWith(fields: Record<string, unknown>): string {
  const { data } = JSON.parse(CLOSED)
  return JSON.stringify({ stream: 'xemusdt@kline_1m', data: { ...data, k: { ...data.k, ...fields } } })
}

describe('a frame of a kline stream', () => {
  it('is a closed bar with its trade ids', () => {
    expect(klineMessageOf(CLOSED)).toEqual({
      symbol: 'XEMUSDT',
      interval: '1m',
      closed: true,
      openTime: 1_681_153_980_000,
      closeTime: 1_681_154_039_999,
      open: '0.04110000',
      high: '0.04110000',
      low: '0.04110000',
      close: '0.04110000',
      baseVolume: '243.00000000',
      quoteVolume: '9.98730000',
      tradeCount: 1,
      takerBuyBaseVolume: '243.00000000',
      takerBuyQuoteVolume: '9.98730000',
      firstTradeId: 35_012_468,
      lastTradeId: 35_012_468,
    })
    expect(klineMessageOf(Buffer.from(CLOSED))).toEqual(klineMessageOf(CLOSED))
  })

  it('is a bar without trades, whose ids are −1', () => {
    expect(klineMessageOf(FLAT)).toMatchObject({ closed: true, tradeCount: 0, firstTradeId: -1, lastTradeId: -1 })
  })

  it('is a live bar where x is false, also without an envelope', () => {
    expect(klineMessageOf(LIVE)).toMatchObject({ symbol: 'NKNUSDT', closed: false, tradeCount: 30 })
  })

  it('is nothing of ours when it is of another stream or of an interval that no bar has', () => {
    const trade = { e: 'trade', E: 1, s: 'XEMUSDT' }
    expect(klineMessageOf(JSON.stringify(trade))).toBeUndefined()
    expect(klineMessageOf('{"result":null,"id":1}')).toBeUndefined()
    expect(klineMessageOf(frameWith({ i: '1w' }))).toBeUndefined()
  })

  it.each<[string, Record<string, unknown>]>([
    ['an open time between two bars', { t: 1_681_153_980_001 }],
    ['an open time in seconds', { t: 1_681_153_980, T: 1_681_214_979 }],
    ['an end that is not the bar’s', { T: 1_681_154_040_000 }],
    ['another symbol inside', { s: 'BTCUSDT' }],
    ['a symbol that is none', { s: 'xem' }],
    ['an interval that is no text', { i: 1 }],
    ['x that is no truth', { x: 1 }],
    ['a price as a number', { o: 0.0411 }],
    ['a price that is no decimal', { h: '1e3' }],
    ['no volume', { v: undefined }],
    ['a count below zero', { n: -1 }],
    ['a fraction of a trade', { n: 1.5 }],
    ['more trades than ids', { n: 2 }],
    ['trades without ids', { f: -1, L: -1 }],
    ['ids the wrong way round', { f: 2, L: 1 }],
    ['ids without trades', { n: 0 }],
    ['an id beyond 2^53', { L: 2 ** 53 }],
  ])('is refused with %s', (_, fields) => {
    expect(() => klineMessageOf(frameWith(fields))).toThrow(MalformedMessageError)
  })

  it.each(['', 'x', '[]', 'null', '7', '{"e":"kline"}', '{"stream":"a@kline_1m","data":7}'])('is refused: %s', text => {
    expect(() => klineMessageOf(text)).toThrow(MalformedMessageError)
  })
})

it(`every recorded kline is read${NEEDS_RECORDINGS}`, ({ skip }) => {
  if (RECORDINGS === undefined) return skip()
  let closed = 0
  let read = 0
  for (const session of ['binance-ws-20210417', 'binance-ws-20211012', 'binancetr-ws-20230410']) {
    const name = `cryptofeed-${session}.raw.gz`
    for (const line of recordedLines(name).slice(1)) {
      const frame = line.slice(line.indexOf(': ') + 2)
      if (!frame.includes('"e":"kline"')) continue
      const kline = klineMessageOf(frame)!
      const { k } = JSON.parse(frame).data
      expect([kline.firstTradeId, kline.lastTradeId, kline.close, kline.takerBuyQuoteVolume]).toEqual([
        k.f,
        k.L,
        k.c,
        k.Q,
      ])
      read++
      if (kline.closed) closed++
    }
  }
  expect(read).toBeGreaterThan(25)
  expect(closed).toBe(4)
})
