import { describe, expect, test } from 'vitest'
import { seededDefaults } from './options.ts'
import { oracleBars } from './oracle.ts'
import { createSeededMarket } from './seeded-market.ts'
import { Tape } from './tape.ts'

const genesisTime = Date.UTC(2026, 0, 1)

function tapeAt(time: number): Tape {
  const market = createSeededMarket({ ...seededDefaults, genesisTime, symbols: ['BTCUSDT'], tradesPerSecond: 20 })
  return new Tape(market.histories.get('BTCUSDT')!, time)
}

const idsOf = (trades: readonly { tradeId: number }[]) => trades.map(trade => trade.tradeId)

describe('a tape', () => {
  test('never shows a trade that is still to come', () => {
    const tape = tapeAt(genesisTime + 60_000)
    const shown = tape.read(0, 1_000_000)
    expect(shown.length).toBeGreaterThan(100)
    expect(shown.every(trade => trade.eventTime < genesisTime + 60_000)).toBe(true)
    expect(tape.readFromId(shown.at(-1)!.tradeId + 1, 10)).toEqual([])
  })

  test('has no trades and no bars of a halt, and goes on with the next id', async () => {
    const tape = tapeAt(genesisTime + 90_000)
    tape.halt()
    tape.advanceTo(genesisTime + 250_000)
    expect(tape.sentBetween(genesisTime + 90_000, genesisTime + 250_000)).toEqual([])
    tape.resume()
    tape.advanceTo(genesisTime + 400_000)
    const all = tape.readFromId(0, 100_000)
    expect(idsOf(all)).toEqual(all.map((_, index) => index + 1))
    expect(all.some(trade => trade.tradeTime >= genesisTime + 90_000 && trade.tradeTime < genesisTime + 250_000)).toBe(
      false,
    )
    expect(tape.readBack(tape.end, all.length)).toEqual(all)
    const bars = await oracleBars(tape, genesisTime, { interval: '1m', from: genesisTime })
    // Minutes 2 and 3 were halted throughout; minutes 1 and 4 in part.
    expect(bars.map(bar => (bar.openTime - genesisTime) / 60_000)).toEqual([0, 1, 4, 5, 6])
  })

  test('answers for skipped ids with the first later one', () => {
    const tape = tapeAt(genesisTime + 60_000)
    const last = tape.readBack(tape.end, 1)[0]!.tradeId
    tape.skipIds(7)
    tape.advanceTo(genesisTime + 120_000)
    expect(idsOf(tape.readFromId(last, 3))).toEqual([last, last + 8, last + 9])
    expect(idsOf(tape.readFromId(last + 3, 1))).toEqual([last + 8])
  })
})
