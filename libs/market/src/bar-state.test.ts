import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  barsOfRun,
  intervalLists,
  numbersOf,
  oracleBars,
  runOf,
  SEVEN,
  startBefore,
  tradeLists,
} from './bar-oracle.testing.ts'
import { applyTrade } from './bar-series.ts'
import { closedTextOf, liveTextOf, symbolBarsOfText } from './bar-state.ts'
import { type Interval, intervalsOf } from './interval.ts'
import { liveBarsOf, newChanges, type SymbolBars } from './symbol-bars.ts'

// That a state written and read at any point goes on the same is shown in bar-series.test.ts.

const textOf = (bars: SymbolBars) => ({ live: liveTextOf(bars), closed: closedTextOf(bars) })
const MIDNIGHT = 1_723_161_600_000
const trade = (tradeId: number, tradeTime: number) =>
  ({ tradeId, tradeTime, price: 5n, quantity: 1n, takerSide: 'buy' }) as const

describe('another list of intervals than the state was written with', () => {
  test('whatever is added or dropped, intervals that stay keep every trade once, and no bar says complete that is not', () => {
    const switches = fc.array(fc.option(intervalLists, { freq: 3 }), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(tradeLists(40), intervalLists, switches, (trades, first, lists) => {
        let current = first
        let staying: readonly Interval[] = first
        let step = 0
        const start = startBefore(trades, first)
        const run = runOf(
          trades,
          start,
          bars => {
            const next = lists[step++]
            if (next == null) return bars
            current = next
            staying = staying.filter(interval => next.includes(interval))
            return symbolBarsOfText('TESTUSDT', next, textOf(bars))
          },
          [...new Set([...first, ...lists.flatMap(list => list ?? [])])],
        )
        for (const interval of current) {
          const oracle = oracleBars(trades, interval.intervalMs)
          for (const bar of barsOfRun(run, interval).values()) {
            const expected = oracle.get(bar.openTime)
            if (staying.includes(interval) || bar.complete) {
              if (expected === undefined) expect(bar.tradeCount).toBe(0)
              else expect(numbersOf(bar), `${interval.name} ${bar.openTime}`).toEqual(expected)
            }
          }
          if (staying.includes(interval))
            for (const openTime of oracle.keys()) expect(barsOfRun(run, interval).has(openTime)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('dropping the shortest interval leaves its live trades in the next one', () => {
    const bars = startBefore([trade(1, MIDNIGHT)], SEVEN)
    applyTrade(bars, trade(1, MIDNIGHT), newChanges())
    const reread = symbolBarsOfText('TESTUSDT', intervalsOf(['1m', '1d']), textOf(bars))
    expect(liveBarsOf(reread).map(bar => [bar?.interval, bar?.tradeCount, bar?.complete])).toEqual([
      ['1m', 1, true],
      ['1d', 1, true],
    ])
  })

  test('the bar in which an interval is added is not complete, the next one is', () => {
    const before = startBefore([trade(1, MIDNIGHT)], intervalsOf(['1m']))
    applyTrade(before, trade(1, MIDNIGHT), newChanges())
    applyTrade(before, trade(2, MIDNIGHT + 60_000), newChanges())
    const bars = symbolBarsOfText('TESTUSDT', intervalsOf(['1m', '5m']), textOf(before))
    expect(liveBarsOf(bars)[1]).toMatchObject({ interval: '5m', openTime: MIDNIGHT, complete: false })
    applyTrade(bars, trade(3, MIDNIGHT + 300_000), newChanges())
    expect(liveBarsOf(bars)[1]).toMatchObject({ openTime: MIDNIGHT + 300_000, complete: true })
  })
})

test('what an interval knows of itself outlives being written and other lists: since when it is whole, and its closed bars', () => {
  let bars = startBefore([trade(1, MIDNIGHT)], intervalsOf(['1m']))
  applyTrade(bars, trade(1, MIDNIGHT), newChanges())
  applyTrade(bars, trade(2, MIDNIGHT + 60_000), newChanges())
  for (const names of [
    ['1m', '5m'],
    ['1m', '5m'],
    ['1m', '5m', '1h'],
  ]) {
    bars = symbolBarsOfText('TESTUSDT', intervalsOf(names), textOf(bars))
    expect(liveBarsOf(bars)[1]?.complete).toBe(false)
  }
  const changes = newChanges()
  applyTrade(bars, trade(3, MIDNIGHT + 1), changes)
  expect(changes.closed).toMatchObject([
    { interval: '1m', openTime: MIDNIGHT, tradeCount: 2, revision: 1, complete: true },
  ])
  applyTrade(bars, trade(4, MIDNIGHT + 300_000), changes)
  expect(changes.closed.at(-1)).toMatchObject({ interval: '5m', openTime: MIDNIGHT, tradeCount: 2, complete: false })
  expect(bars.series.map(series => series.sinceTime - MIDNIGHT)).toEqual([-MIDNIGHT, 300_000, 3_600_000])
})

test('a state of another version is refused with what to do', () => {
  const text = textOf(startBefore([], SEVEN))
  const other = { ...text, live: text.live.replace('"version":1', '"version":2') }
  expect(() => symbolBarsOfText('BTCUSDT', SEVEN, other)).toThrow(
    'the stored state of BTCUSDT has version 2, this program reads 1; run the matching release',
  )
})

test('a state before the first trade is read back as such', () => {
  const bars = symbolBarsOfText('TESTUSDT', SEVEN, textOf(startBefore([], SEVEN)))
  expect(bars.lastPrice).toBeUndefined()
  expect(liveBarsOf(bars)).toEqual(SEVEN.map(() => undefined))
})
