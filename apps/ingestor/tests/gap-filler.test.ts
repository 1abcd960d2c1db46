import { BinanceRest } from '@chart/binance'
import { startExchangeSimulator } from '@chart/exchange-simulator'
import { openLog, Registry } from '@chart/service'
import { until } from '@chart/testkit'
import { expect, test } from 'vitest'
import { GapFiller } from '../src/gap-filler.ts'
import { openMetrics } from '../src/metrics.ts'
import { SymbolFeed } from '../src/symbol-feed.ts'

test('a hole that was asked for from elsewhere swallows no trade of a sequence that was moved back meanwhile', async () => {
  await using simulator = await startExchangeSimulator({ market: { symbols: ['BTCUSDT'], tradesPerSecond: 50 } })
  const rest = new BinanceRest({ apiUrl: simulator.url })
  const [info] = await rest.exchangeInfo(['BTCUSDT'])
  const stop = new AbortController()
  const feed = new SymbolFeed(info!, '{p00}')
  const metrics = openMetrics(new Registry())
  const filler = new GapFiller({
    rest,
    metrics,
    log: openLog('test', 'silent'),
    signal: stop.signal,
    onAdded: () => undefined,
  })
  try {
    // The exchange skips ids; the feed stands right before them and has heard of a trade behind them.
    const before = (await rest.latestTradeId('BTCUSDT'))!
    simulator.hole({ symbol: 'BTCUSDT', count: 5 })
    let holeId = before
    await until('trades behind the hole', async () => {
      const ids = (await rest.historicalTrades('BTCUSDT', before)).map(({ tradeId }) => tradeId)
      holeId = ids.find((id, index) => ids[index + 1] !== undefined && ids[index + 1] !== id + 1) ?? holeId
      return holeId !== before || ids[1] === before + 6
    })
    feed.connect()
    feed.alignTo(holeId)
    feed.verify((await rest.latestTradeId('BTCUSDT'))!, feed.connection)
    filler.fill(feed)
    // A hole is believed when it is told twice, a second apart: in between the log loses its tail.
    await until('it was told once', () => simulator.status().faultsApplied.hole === 1)
    feed.alignTo(holeId - 500)
    await until('all is there', () => feed.sequence.gapStart === undefined)
    const ids: number[] = []
    for (let { trades } = feed.sequence.nextRun(1_000); trades.length > 0; { trades } = feed.sequence.nextRun(1_000)) {
      ids.push(...trades.map(({ tradeId }) => tradeId))
      feed.sequence.markStored(ids.at(-1)!)
    }
    const real: number[] = []
    for (let next = holeId - 499; next <= ids.at(-1)!; next = real.at(-1)! + 1) {
      real.push(...(await rest.historicalTrades('BTCUSDT', next)).map(({ tradeId }) => tradeId))
    }
    expect(ids).toEqual(real.slice(0, ids.length))
    expect(ids).toContain(holeId)
  } finally {
    stop.abort()
  }
})
