import { expect, test } from 'vitest'
import { startExchangeSimulator } from '../src/exchange-simulator.ts'
import { getJson, openStream } from './stream-client.ts'

const genesisTime = Date.UTC(2026, 0, 1)

test('a minute without trades is pushed as a flat kline with ids -1, open and then closed, and REST has it too', async () => {
  await using exchange = await startExchangeSimulator({
    market: { symbols: ['BTCUSDT'], genesisTime, tradesPerSecond: 2, silentMinuteShare: 0.5 },
    clock: { startTime: genesisTime + 600_000, speed: 600, hold: true },
  })
  // The clock stands until someone wants trades, so no kline is missed.
  await using client = await openStream(
    `${exchange.streamUrl}/ws/btcusdt@kline_1m/btcusdt@kline_5m/btcusdt@kline_1s/btcusdt@trade`,
  )
  const klinesOf = (interval: string) => client.frames.map(frame => frame.k!).filter(k => k?.i === interval)
  await client.until(() => klinesOf('1m').filter(k => k.x).length >= 20)
  const closed = klinesOf('1m').filter(k => k.x)
  expect(closed.map(k => k.t)).toEqual(closed.map((_, index) => genesisTime + 600_000 + index * 60_000))
  const silent = closed.find((k, index) => k.n === 0 && index > 0)!
  expect(silent).toMatchObject({
    f: -1,
    L: -1,
    n: 0,
    v: '0.00000000',
    q: '0.00000000',
    T: (silent.t as number) + 59_999,
  })
  expect(silent.o).toBe(closed[closed.indexOf(silent) - 1]!.c)
  expect(new Set([silent.o, silent.h, silent.l, silent.c]).size).toBe(1)
  expect(klinesOf('1m').some(k => !k.x && k.t === silent.t && k.n === 0)).toBe(true)

  const seconds = klinesOf('1s')
  expect(seconds.slice(0, 600).map(k => k.t)).toEqual(
    Array.from({ length: 600 }, (_, index) => genesisTime + 600_000 + index * 1000),
  )
  expect(seconds.some(k => k.n === 0 && k.x)).toBe(true)

  const rows = (
    await getJson<unknown[][]>(
      `${exchange.url}/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${closed[0]!.t}&limit=${closed.length}`,
    )
  ).body
  expect(closed.map(k => [k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, '0'])).toEqual(rows)
  const oracle = await exchange.oracleBars({
    symbol: 'BTCUSDT',
    interval: '1m',
    from: genesisTime + 600_000,
    to: genesisTime + 600_000 + closed.length * 60_000,
  })
  expect(closed.map(k => [k.t, k.f, k.L, k.n, k.q])).toEqual(
    oracle.map(bar => [bar.openTime, bar.firstTradeId, bar.lastTradeId, bar.tradeCount, bar.quoteVolume]),
  )
})
