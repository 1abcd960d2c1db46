import { NEEDS_RECORDINGS, RECORDINGS, recordedFile, recordedRows } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { startExchangeSimulator } from '../src/exchange-simulator.ts'
import { getJson, openStream } from './stream-client.ts'

const path = recordedFile('hftbacktest-btcusdt-trade-20240808T2354.raw.gz')
const openTime = 1723161300000
const tradesRecorded = 9738

describe.skipIf(RECORDINGS === undefined)(`a replayed recording${NEEDS_RECORDINGS}`, () => {
  for (const speed of [Number.POSITIVE_INFINITY, 300]) {
    test(`at speed ${speed} sends every trade as recorded, and its bar is the exchange's own in nine fields`, async () => {
      await using exchange = await startExchangeSimulator({ recording: { path }, clock: { speed } })
      await using client = await openStream(`${exchange.streamUrl}/ws/btcusdt@trade/btcusdt@kline_5m`)
      const isClosing = (frame: (typeof client.frames)[number]) => frame.k?.t === openTime && frame.k.x === true
      const frames = await client.until(all => all.some(isClosing))
      const trades = frames.filter(frame => frame.e === 'trade')
      expect(trades.map(trade => trade.t)).toEqual(trades.map((_, index) => 3735683259 + index))
      expect(trades).toHaveLength(tradesRecorded)
      expect(trades[0]).toMatchObject({ E: 1723161255343, T: 1723161255342, p: '61837.63000000' })

      const rows = recordedRows('skytree-BTCUSDT-5m-2024-08-08.csv')
      const row = Object.values(rows.find(one => one.open_time === String(openTime))!)
      const [bar] = await exchange.oracleBars({ symbol: 'BTCUSDT', interval: '5m', from: openTime, to: openTime + 1 })
      expect([
        String(bar!.openTime),
        bar!.open,
        bar!.high,
        bar!.low,
        bar!.close,
        bar!.baseVolume,
        String(bar!.closeTime),
        bar!.quoteVolume,
        String(bar!.tradeCount),
        bar!.takerBuyBaseVolume,
        bar!.takerBuyQuoteVolume,
      ]).toEqual(row.slice(0, 11))
      const k = frames.find(isClosing)!.k!
      expect([k.o, k.h, k.l, k.c, k.v, k.q, String(k.n), k.V, k.Q]).toEqual([...row.slice(1, 6), ...row.slice(7, 11)])
    })
  }

  test('stands still until someone wants its trades, and REST never shows what is still to come', async () => {
    await using exchange = await startExchangeSimulator({ recording: { path }, clock: { speed: 50 } })
    const time = async () => (await getJson<{ serverTime: number }>(`${exchange.url}/api/v3/time`)).body.serverTime
    expect(await time()).toBe(1723161255342)
    expect((await getJson<unknown[]>(`${exchange.url}/api/v3/trades?symbol=BTCUSDT`)).body).toEqual([])
    await using client = await openStream(`${exchange.streamUrl}/stream?streams=btcusdt@trade`)
    await client.until(frames => frames.length >= 500)
    const now = await time()
    const { body } = await getJson<{ id: number; time: number }[]>(
      `${exchange.url}/api/v3/trades?symbol=BTCUSDT&limit=1`,
    )
    expect(now).toBeGreaterThan(1723161255342)
    expect(body[0]!.id).toBeLessThan(3735683259 + tradesRecorded - 1)
    expect(body[0]!.time).toBeLessThanOrEqual(exchange.now())
  })
})
