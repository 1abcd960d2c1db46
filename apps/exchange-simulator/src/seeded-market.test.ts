import { describe, expect, test } from 'vitest'
import { seededDefaults } from './options.ts'
import { createSeededMarket, type SeededMarketOptions } from './seeded-market.ts'
import type { Trade } from './trade.ts'

const genesisTime = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000

function historyOf(options: Partial<SeededMarketOptions> = {}, symbol = 'BTCUSDT') {
  return createSeededMarket({ ...seededDefaults, genesisTime, tradesPerSecond: 20, ...options }).histories.get(symbol)!
}

/** All trades sent in the first hour. */
function firstHour(history = historyOf()): Trade[] {
  return history.read(0, history.countBefore(genesisTime + hourMs))
}

describe('a seeded market', () => {
  test('is the same to the last character when it is started again, whichever end is asked for first', () => {
    const forwards = firstHour()
    const again = historyOf()
    const count = again.countBefore(genesisTime + hourMs)
    const backwards: Trade[] = []
    for (let to = count; to > 0; to -= 1000) backwards.unshift(...again.read(Math.max(0, to - 1000), to))
    expect(forwards.length).toBeGreaterThan(10_000)
    expect(backwards).toEqual(forwards)
  })

  test('is another one with another seed', () => {
    expect(firstHour(historyOf({ seed: 2 })).slice(0, 50)).not.toEqual(firstHour().slice(0, 50))
  })

  test('has contiguous ids from the first and trade times that never decrease', () => {
    const trades = firstHour(historyOf({ startTradeId: 5_000_000_000 }))
    for (const [index, trade] of trades.entries()) {
      expect(trade.tradeId).toBe(5_000_000_000 + index)
      if (index > 0) expect(trade.tradeTime).toBeGreaterThanOrEqual(trades[index - 1]!.tradeTime)
    }
  })

  test('counts before a moment exactly the trades sent before it', () => {
    const history = historyOf()
    const trades = firstHour(history)
    for (let time = genesisTime; time < genesisTime + hourMs; time += 77_777) {
      expect(history.countBefore(time)).toBe(trades.filter(trade => trade.eventTime < time).length)
    }
  })

  test('trades at its rate, in bursts, several trades in one millisecond, and with silent seconds', () => {
    const trades = firstHour(historyOf({ rates: { BTCUSDT: 20 } }))
    const bySecond = new Map<number, number>()
    for (const { tradeTime } of trades) {
      const second = Math.floor(tradeTime / 1000)
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
    }
    expect(trades.length / 3600).toBeGreaterThan(10)
    expect(trades.length / 3600).toBeLessThan(30)
    expect(bySecond.size).toBeLessThan(3590)
    expect(Math.max(...bySecond.values())).toBeGreaterThan(60)
    expect(trades.filter((trade, index) => trade.tradeTime === trades[index - 1]?.tradeTime).length).toBeGreaterThan(
      1000,
    )
  })

  test('leaves whole minutes silent when told to', () => {
    const trades = firstHour(historyOf({ silentMinuteShare: 0.5 }))
    const minutes = new Set(trades.map(trade => Math.floor(trade.tradeTime / 60_000)))
    expect(minutes.size).toBeGreaterThan(10)
    expect(minutes.size).toBeLessThan(50)
  })

  test('writes every number with 8 decimals, in whole ticks and steps', () => {
    for (const [symbol, tick, step] of [
      ['BTCUSDT', 2, 5],
      ['PEPEUSDT', 8, 0],
      ['ETHBTC', 5, 4],
    ] as const) {
      for (const trade of firstHour(historyOf({ symbols: [symbol] }, symbol)).slice(0, 2000)) {
        expect(trade.price).toMatch(new RegExp(`^\\d+\\.\\d{${tick}}0{${8 - tick}}$`))
        expect(trade.quantity).toMatch(new RegExp(`^\\d+\\.\\d{${step}}0{${8 - step}}$`))
        expect(Number(trade.price)).toBeGreaterThan(0)
        expect(Number(trade.quantity)).toBeGreaterThan(0)
      }
    }
  })

  test('with a late share, has trades older than their predecessor but never later than the stated lateness', () => {
    const history = historyOf({ lateShare: 0.05 })
    const trades = firstHour(history)
    const late = trades.filter((trade, index) => index > 0 && trade.tradeTime < trades[index - 1]!.tradeTime)
    expect(late.length / trades.length).toBeGreaterThan(0.03)
    for (const trade of trades) expect(trade.eventTime - trade.tradeTime).toBeLessThanOrEqual(history.latenessMaxMs)
  })
})
