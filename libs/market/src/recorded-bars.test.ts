import { NEEDS_RECORDINGS, RECORDINGS } from '@chart/testkit'
import { describe, expect, test } from 'vitest'
import { type Bar, textOfBar } from './bar.ts'
import { applyTrade } from './bar-series.ts'
import { EXCHANGE_SCALES, formatDecimal, parseDecimal } from './decimal.ts'
import { DEFAULT_INTERVALS, intervalsOf, openTimeOf } from './interval.ts'
import {
  type RecordedTrade,
  recordedEthBtc,
  recordedFrames,
  recordedRows,
  recordedTable,
} from './recordings.testing.ts'
import { liveBarsOf, newChanges, newSymbolBars } from './symbol-bars.ts'

/** The bars of `interval`, closed and live, by openTime. */
function barsOf(recorded: readonly RecordedTrade[], interval: string): Map<number, Bar> {
  const first = recorded[0]!.trade
  const bars = newSymbolBars(
    'TEST',
    intervalsOf(DEFAULT_INTERVALS),
    EXCHANGE_SCALES,
    first.tradeId - 1,
    first.tradeTime + 1,
  )
  const changes = newChanges()
  for (const { trade } of recorded) applyTrade(bars, trade, changes)
  const all = [...changes.closed, ...liveBarsOf(bars)].filter(bar => bar?.interval === interval) as Bar[]
  return new Map(all.map(bar => [bar.openTime, bar]))
}

/** `bar` in the columns of the expected-1m files, without their last, which says whether the file holds the whole minute. */
function expectedColumnsOf(bar: Bar): string[] {
  const text = textOfBar(bar, EXCHANGE_SCALES)
  return [
    text.openTime,
    text.open,
    text.high,
    text.low,
    text.close,
    text.baseVolume,
    text.quoteVolume,
    text.tradeCount,
    text.takerBuyBaseVolume,
    text.takerBuyQuoteVolume,
    text.firstTradeId,
    text.lastTradeId,
  ].map(String)
}

describe.skipIf(RECORDINGS === undefined)(`bars of recorded trades${NEEDS_RECORDINGS}`, () => {
  test.each([
    ['expected-1m-hftbacktest-btcusdt-20240808T2354.csv', recordedFrames],
    ['expected-1m-alexpaturov-BTCUSDT-20260203T0000.csv', recordedRows],
    ['expected-1m-gct-ETHBTC-20230320.csv', recordedEthBtc],
  ])('every minute equals its row of %s', (name, read) => {
    const bars = barsOf(read(), '1m')
    const expected = recordedTable(name)
    expect([...bars.keys()]).toEqual([...expected.keys()])
    for (const [openTime, bar] of bars) expect(expectedColumnsOf(bar)).toEqual(expected.get(openTime)!.slice(0, 12))
  })

  test("the 5m bar of 2024-08-08 23:55 equals the exchange's own in all nine fields", () => {
    const bar = textOfBar(barsOf(recordedFrames(), '5m').get(1_723_161_300_000)!, EXCHANGE_SCALES)
    const row = recordedTable('skytree-BTCUSDT-5m-2024-08-08.csv').get(1_723_161_300_000)!
    const ours = [bar.open, bar.high, bar.low, bar.close, bar.baseVolume]
    const ours2 = [bar.quoteVolume, String(bar.tradeCount), bar.takerBuyBaseVolume, bar.takerBuyQuoteVolume]
    expect(ours).toEqual(row.slice(1, 6))
    expect(String(bar.closeTime)).toBe(row[6])
    expect(ours2).toEqual(row.slice(7, 11))
    expect(bar.complete).toBe(true)
  })

  test.each([
    ['ETHBTC, the rounding vector', recordedEthBtc],
    ['BTCUSDT', recordedRows],
  ])("%s: the quote volume of each minute is the sum of the exchange's own quoteQty", (_name, read) => {
    const recorded = read()
    const [minute] = intervalsOf(['1m'])
    const sums = new Map<number, bigint>()
    for (const { trade, quoteQuantity } of recorded) {
      const openTime = openTimeOf(minute!, trade.tradeTime)
      sums.set(openTime, (sums.get(openTime) ?? 0n) + parseDecimal(quoteQuantity!, 8))
    }
    const bars = barsOf(recorded, '1m')
    expect(bars.size).toBe(sums.size)
    for (const [openTime, bar] of bars)
      expect(formatDecimal(bar.quoteVolume, 8)).toBe(formatDecimal(sums.get(openTime)!, 8))
  })

  test('of the ten minutes of 2026 a peer has eight as we do; the two it made before all trades were in differ', () => {
    const peer = recordedTable('alexpaturov-BTCUSDT-ohlcv1m-20260203T0000-PEER.csv')
    const bars = barsOf(recordedRows(), '1m')
    const differing = [...bars.values()].filter(bar => {
      const text = textOfBar(bar, EXCHANGE_SCALES)
      const ours = [text.open, text.high, text.low, text.close, text.baseVolume]
      return ours.join() !== peer.get(bar.openTime)!.slice(2, 7).join()
    })
    expect(differing.map(bar => bar.openTime)).toEqual([1_770_077_100_000, 1_770_077_340_000])
  })
})
