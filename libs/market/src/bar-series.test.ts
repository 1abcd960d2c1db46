import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bar, mergeBars } from './bar.ts'
import {
  barsOfRun,
  intervalLists,
  numbersOf,
  oracleBars,
  type Run,
  runOf,
  SEVEN,
  type Step,
  startBefore,
  tradeLists,
} from './bar-oracle.testing.ts'
import { applyTrade, applyWatermark } from './bar-series.ts'
import { closedTextOf, liveTextOf, symbolBarsOfText } from './bar-state.ts'
import { EXCHANGE_SCALES } from './decimal.ts'
import { type Interval, intervalOf, intervalsOf, openTimeOf } from './interval.ts'
import { childIndexOf, FLAT_RUN_MAX, KEPT_BARS, liveBarsOf, newChanges, newSymbolBars } from './symbol-bars.ts'
import type { Trade } from './trade.ts'

const MINUTE = 60_000
/** A full day boundary, for the examples. */
const MIDNIGHT = 1_723_161_600_000

function tradeAt(tradeId: number, tradeTime: number, price = 100n, quantity = 10n): Trade {
  return { tradeId, tradeTime, price, quantity, takerSide: 'buy' }
}

/** Every bucket with trades equals the oracle's; every other bar is flat. */
function expectOracle(run: Run, intervals: readonly Interval[], trades: readonly Trade[]): void {
  for (const interval of intervals) {
    const bars = barsOfRun(run, interval)
    const oracle = oracleBars(trades, interval.intervalMs)
    for (const [openTime, expected] of oracle) {
      const bar = bars.get(openTime)
      expect(bar && numbersOf(bar), `${interval.name} ${openTime}`).toEqual(expected)
    }
    for (const bar of bars.values()) if (!oracle.has(bar.openTime)) expectFlat(bar, bar.close)
  }
}

/** Every flat bar repeats the close of the bar before it, as it must where times never decrease with the ids. */
function expectFlatsFollow(run: Run, intervals: readonly Interval[]): void {
  for (const bars of outcomeOf(run, intervals)) {
    for (const [index, bar] of bars.entries()) if (bar.tradeCount === 0) expectFlat(bar, bars[index - 1]?.close)
  }
}

function expectFlat(bar: Bar, price: bigint | undefined): void {
  expect(numbersOf(bar)).toEqual({
    openTime: bar.openTime,
    open: price,
    high: price,
    low: price,
    close: price,
    baseVolume: 0n,
    quoteVolume: 0n,
    takerBuyBaseVolume: 0n,
    takerBuyQuoteVolume: 0n,
    tradeCount: 0,
    firstTradeId: -1,
    lastTradeId: -1,
  })
}

/** What must be equal in two runs over the same trades, however they were cut and repeated. */
function outcomeOf(run: Run, intervals: readonly Interval[]) {
  return intervals.map(interval => [...barsOfRun(run, interval).values()].sort((a, b) => a.openTime - b.openTime))
}

/** A moment that every interval's live bar has ended by, so that two runs can be compared closed. */
function wellAfter(trades: readonly Trade[]): number {
  return trades.at(-1)!.tradeTime + 1
}

describe('trades in order', () => {
  test('closed and live bars of every interval equal those of sorting the trades into buckets, silent ones flat between', () => {
    fc.assert(
      fc.property(tradeLists(), intervalLists, (trades, intervals) => {
        const run = runOf(trades, startBefore(trades, intervals))
        expectOracle(run, intervals, trades)
        for (const interval of intervals) {
          const bars = outcomeOf(run, [interval])[0]!
          const first = openTimeOf(interval, trades[0]!.tradeTime)
          const last = openTimeOf(interval, trades.at(-1)!.tradeTime)
          expect(bars.map(bar => bar.openTime)).toEqual(
            Array.from({ length: (last - first) / interval.intervalMs + 1 }, (_, n) => first + n * interval.intervalMs),
          )
          for (const [index, bar] of bars.entries()) {
            if (bar.tradeCount === 0) expectFlat(bar, bars[index - 1]!.close)
            expect(bar).toMatchObject({ complete: true, revision: 0, symbol: 'TESTUSDT', interval: interval.name })
            expect(bar.state).toBe(index === bars.length - 1 ? 'live' : 'closed')
          }
        }
        expect(run.changes).toEqual({ duplicates: 0, missing: 0, late: 0, beyondReach: 0 })
      }),
      { numRuns: 150 },
    )
  })

  test('the live bars are right after each single trade', () => {
    fc.assert(
      fc.property(tradeLists(15), intervalLists, (trades, intervals) => {
        const bars = startBefore(trades, intervals)
        for (const [index, trade] of trades.entries()) {
          applyTrade(bars, trade, newChanges())
          const live = liveBarsOf(bars)
          for (const [place, interval] of intervals.entries()) {
            const oracle = oracleBars(trades.slice(0, index + 1), interval.intervalMs)
            expect(numbersOf(live[place]!)).toEqual(oracle.get(openTimeOf(interval, trade.tradeTime)))
          }
        }
      }),
    )
  })

  test('merging the 1m bars gives the same 5m, 1h and 1d bars as the trades do', () => {
    fc.assert(
      fc.property(tradeLists(), trades => {
        const run = runOf(trades, startBefore(trades, SEVEN))
        const minutes = outcomeOf(run, [intervalOf('1m')])[0]!
        for (const interval of ['5m', '1h', '1d'].map(intervalOf)) {
          const merged = new Map<number, Bar>()
          for (const minute of minutes) {
            const openTime = openTimeOf(interval, minute.openTime)
            const whole = merged.get(openTime)
            merged.set(openTime, whole ? mergeBars(whole, minute) : { ...minute, openTime, interval: interval.name })
          }
          const direct = barsOfRun(run, interval)
          for (const [openTime, bar] of merged) expect(numbersOf(direct.get(openTime)!)).toEqual(numbersOf(bar))
          expect(merged.size).toBe(direct.size)
        }
      }),
    )
  })

  test('a trade in the last millisecond belongs to its bar, one in the next millisecond to the next', () => {
    const intervals = intervalsOf(['1s', '1m', '1d'])
    const run = runOf(
      [tradeAt(1, MIDNIGHT - 1), tradeAt(2, MIDNIGHT)],
      newSymbolBars('A', intervals, EXCHANGE_SCALES, 0, 0),
    )
    for (const interval of intervals) {
      expect([...barsOfRun(run, interval).values()].map(bar => [bar.openTime, bar.firstTradeId])).toEqual([
        [MIDNIGHT - interval.intervalMs, 1],
        [MIDNIGHT, 2],
      ])
    }
  })

  test('an interval is merged from the longest shorter one that divides it, so 3m and 5m are both children of 1m', () => {
    const intervals = intervalsOf(['1s', '1m', '3m', '5m', '15m', '30m', '1h', '4h', '6h', '1d'])
    const childOf = (name: string) => {
      const index = intervals.findIndex(interval => interval.name === name)
      return intervals[childIndexOf(intervals, index)]?.name
    }
    expect(['1s', '1m', '3m', '5m', '15m', '30m', '1h', '4h', '6h', '1d'].map(childOf)).toEqual([
      undefined,
      '1s',
      '1m',
      '1m',
      '5m',
      '15m',
      '30m',
      '1h',
      '1h',
      '6h',
    ])
    expect(childIndexOf(intervals, 99)).toBe(-1)
  })
})

describe('duplicates and replays', () => {
  test('going back any number of times and repeating any part changes nothing', () => {
    fc.assert(
      fc.property(
        tradeLists(),
        intervalLists,
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 5 }),
        (trades, intervals, repeats) => {
          const steps: Trade[] = [...trades]
          for (const [at, from, length] of repeats) {
            const end = at % (trades.length + 1)
            const known = steps.slice(0, end)
            steps.splice(end, 0, ...known.slice(end && from % end).slice(0, length % 20))
          }
          const run = runOf(steps, startBefore(trades, intervals))
          expect(outcomeOf(run, intervals)).toEqual(outcomeOf(runOf(trades, startBefore(trades, intervals)), intervals))
          expect(run.changes.duplicates).toBe(steps.length - trades.length)
        },
      ),
    )
  })
})

describe('late trades', () => {
  /** `trades` with some moved back in time by up to `reachMs` behind the newest time before them. */
  const lateLists = (reachMs: number) =>
    fc
      .tuple(tradeLists(), fc.array(fc.option(fc.integer({ min: 0, max: reachMs })), { minLength: 50, maxLength: 50 }))
      .map(([trades, delays]) => {
        let reached = 0
        return trades.map((trade, index) => {
          const delay = delays[index]
          const late = delay == null || reached === 0 ? trade : { ...trade, tradeTime: reached - delay }
          reached = Math.max(reached, late.tradeTime)
          return late
        })
      })

  test('within reach, the newest revision of every bar of every interval equals the oracle', () => {
    fc.assert(
      fc.property(lateLists((KEPT_BARS.second - 1) * 1_000), intervalLists, (trades, intervals) => {
        const run = runOf(trades, startBefore(trades, intervals))
        expectOracle(run, intervals, trades)
        expect(run.changes.beyondReach).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('within the reach of minutes, the newest revision equals the oracle where minutes are the shortest', () => {
    const intervals = intervalsOf(['1m', '3m', '5m', '15m', '1h', '1d'])
    fc.assert(
      fc.property(lateLists((KEPT_BARS.longer - 1) * MINUTE), trades => {
        expectOracle(runOf(trades, startBefore(trades, intervals)), intervals, trades)
      }),
      { numRuns: 150 },
    )
  })

  test('the live bars are right after each single trade, late ones too', () => {
    fc.assert(
      fc.property(lateLists(9_000), intervalLists, (trades, intervals) => {
        const bars = startBefore(trades, intervals)
        for (const [index, trade] of trades.slice(0, 20).entries()) {
          applyTrade(bars, trade, newChanges())
          const live = liveBarsOf(bars)
          for (const [place, interval] of intervals.entries()) {
            const oracle = oracleBars(trades.slice(0, index + 1), interval.intervalMs)
            const expected = oracle.get(openTimeOf(interval, bars.reachedTime))
            if (expected) expect(numbersOf(live[place]!), interval.name).toEqual(expected)
          }
        }
      }),
    )
  })

  test('a trade of a closed second inside the live minute is counted once in every longer bar', () => {
    const trades = [tradeAt(1, MIDNIGHT + 1_000), tradeAt(2, MIDNIGHT + 3_000), tradeAt(3, MIDNIGHT + 1_500)]
    const bars = startBefore(trades, SEVEN)
    for (const trade of trades) applyTrade(bars, trade, newChanges())
    expect(liveBarsOf(bars).map(bar => bar!.tradeCount)).toEqual([1, 3, 3, 3, 3, 3, 3])
  })

  test('a restated bar keeps its open, takes the close, and counts its revisions', () => {
    const trades = [
      tradeAt(1, MIDNIGHT, 100n),
      tradeAt(2, MIDNIGHT + MINUTE, 101n),
      tradeAt(3, MIDNIGHT + 1, 102n),
      tradeAt(4, MIDNIGHT + 2, 90n),
    ]
    const run = runOf(trades, startBefore(trades, intervalsOf(['1m'])))
    expect(run.newest.get('1m')?.get(MIDNIGHT)).toMatchObject({
      open: 100n,
      high: 102n,
      low: 90n,
      close: 90n,
      revision: 2,
    })
    expect(run.changes.late).toBe(2)
  })

  test('a trade of a bar that is no longer kept is told, and the longer bars that can still take it do', () => {
    const trades = [
      ...Array.from({ length: 20 }, (_, second) => tradeAt(second, MIDNIGHT + second * 1_000)),
      tradeAt(20, MIDNIGHT + 2_000, 500n),
    ]
    const bars = startBefore(trades, SEVEN)
    const changes = newChanges()
    for (const trade of trades) applyTrade(bars, trade, changes)
    expect(changes.beyondReach).toEqual([{ interval: '1s', openTime: MIDNIGHT + 2_000 }])
    expect(liveBarsOf(bars).map(bar => bar!.tradeCount)).toEqual([1, 21, 21, 21, 21, 21, 21])
  })

  test('a late trade with a hole of ids before it leaves no bar complete that the missing trades could belong to', () => {
    const start = newSymbolBars('A', intervalsOf(['1s', '1m']), EXCHANGE_SCALES, 0, 0)
    const run = runOf(
      [tradeAt(1, MIDNIGHT), tradeAt(2, MIDNIGHT + 5_000), tradeAt(4, MIDNIGHT + 2_000), tradeAt(5, MIDNIGHT + 6_000)],
      start,
    )
    const seconds = barsOfRun(run, intervalOf('1s'))
    expect([0, 1, 2, 3, 4, 5, 6].map(second => seconds.get(MIDNIGHT + second * 1_000)?.complete)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      true,
    ])
    expect(barsOfRun(run, intervalOf('1m')).get(MIDNIGHT)?.complete).toBe(false)
  })
})

describe('late trades at the edges', () => {
  test('a late trade with a hole before it leaves a live bar that is still silent not complete either', () => {
    const bars = newSymbolBars('A', intervalsOf(['1s', '1m']), EXCHANGE_SCALES, 0, 0)
    applyTrade(bars, tradeAt(1, MIDNIGHT), newChanges())
    applyWatermark(bars, MIDNIGHT + 5_000, newChanges())
    applyTrade(bars, tradeAt(3, MIDNIGHT + 3_000, 70n), newChanges())
    expect(liveBarsOf(bars)[0]).toMatchObject({ tradeCount: 0, close: 70n, complete: false })
    applyTrade(bars, tradeAt(4, MIDNIGHT + 5_500, 60n), newChanges())
    expect(liveBarsOf(bars)[0]).toMatchObject({ tradeCount: 1, open: 60n, high: 60n, low: 60n, complete: false })
    expect(liveBarsOf(bars)[1]).toMatchObject({ tradeCount: 3, open: 100n, low: 60n, close: 60n, complete: false })
  })

  test('a late trade of a time that had no bar, a halt, takes its place in time, and the bar stays restatable', () => {
    const bars = newSymbolBars('A', intervalsOf(['1m']), EXCHANGE_SCALES, 0, 0)
    const changes = newChanges()
    applyTrade(bars, tradeAt(1, MIDNIGHT), changes)
    applyTrade(bars, tradeAt(2, MIDNIGHT + 5 * MINUTE), changes, false)
    applyTrade(bars, tradeAt(3, MIDNIGHT + 6 * MINUTE), changes)
    applyTrade(bars, tradeAt(4, MIDNIGHT + 2 * MINUTE), changes)
    expect(bars.series[0]?.closed.map(bar => (bar.openTime - MIDNIGHT) / MINUTE)).toEqual([0, 2, 5])
    applyTrade(bars, tradeAt(5, MIDNIGHT + 7 * MINUTE), changes)
    expect(bars.series[0]?.closed.map(bar => (bar.openTime - MIDNIGHT) / MINUTE)).toEqual([2, 5, 6])
  })
})

describe('watermarks', () => {
  test('true ones, anywhere, never change a bar, only when it closes', () => {
    fc.assert(
      fc.property(tradeLists(), intervalLists, fc.array(fc.nat(), { maxLength: 30 }), (trades, intervals, picks) => {
        const end: Step = { watermark: wellAfter(trades) }
        const steps: Step[] = trades.flatMap((trade, index): Step[] => {
          const pick = picks[index]
          const next = trades[index + 1]
          if (pick === undefined || next === undefined) return [trade]
          return [trade, { watermark: next.tradeTime - (pick % 3 === 0 ? 0 : pick % 70_000) }]
        })
        const plain = runOf([...trades, end], startBefore(trades, intervals))
        const marked = runOf([...steps, end], startBefore(trades, intervals))
        expect(outcomeOf(marked, intervals)).toEqual(outcomeOf(plain, intervals))
        expect(marked.changes.late).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  test('one before the first trade, true or not, leaves the bars as they would be without it', () => {
    fc.assert(
      fc.property(
        tradeLists(20),
        intervalLists,
        fc.integer({ min: -9_000, max: 9_000 }),
        (trades, intervals, offset) => {
          const end: Step = { watermark: trades.at(-1)!.tradeTime + 9_001 }
          const plain = runOf([...trades, end], startBefore(trades, intervals))
          const first: Step = { watermark: trades[0]!.tradeTime + offset }
          const marked = runOf([first, ...trades, end], startBefore(trades, intervals))
          const withoutRevision = (run: Run) =>
            outcomeOf(run, intervals).map(bars => bars.map(bar => ({ ...bar, revision: 0 })))
          expect(withoutRevision(marked)).toEqual(withoutRevision(plain))
        },
      ),
    )
  })

  test('false ones, too early by less than the reach, end right by restatement', () => {
    fc.assert(
      fc.property(
        tradeLists(),
        intervalLists,
        fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 50 }),
        (trades, intervals, picks) => {
          const steps = trades.flatMap((trade, index): Step[] =>
            picks[index] === undefined ? [trade] : [{ watermark: trade.tradeTime + picks[index] }, trade],
          )
          const run = runOf(steps, startBefore(trades, intervals))
          expectOracle(run, intervals, trades)
          expectFlatsFollow(run, intervals)
          expect(run.changes.beyondReach).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('one that goes back changes nothing', () => {
    const bars = startBefore([tradeAt(1, MIDNIGHT)], SEVEN)
    applyTrade(bars, tradeAt(1, MIDNIGHT + 5_000), newChanges())
    const before = liveTextOf(bars) + closedTextOf(bars)
    const changes = newChanges()
    applyWatermark(bars, MIDNIGHT, changes)
    expect(liveTextOf(bars) + closedTextOf(bars)).toBe(before)
    expect(changes).toEqual(newChanges())
  })

  test('one exactly at the end of a bar closes it, one a millisecond earlier does not', () => {
    const bars = startBefore([tradeAt(1, MIDNIGHT)], intervalsOf(['1m']))
    applyTrade(bars, tradeAt(1, MIDNIGHT), newChanges())
    const changes = newChanges()
    applyWatermark(bars, MIDNIGHT + MINUTE - 1, changes)
    expect(changes.closed).toEqual([])
    applyWatermark(bars, MIDNIGHT + MINUTE, changes)
    expect(changes.closed).toMatchObject([{ openTime: MIDNIGHT, state: 'closed', lastTradeId: 1 }])
    expect(liveBarsOf(bars)).toMatchObject([{ openTime: MIDNIGHT + MINUTE, tradeCount: 0, state: 'live', open: 100n }])
  })
})

describe('silence', () => {
  test('each silent bar is flat at the previous close and complete, on every interval', () => {
    const trades = [tradeAt(1, MIDNIGHT + 500, 100n), tradeAt(2, MIDNIGHT + 600, 107n)]
    const run = runOf([...trades, { watermark: MIDNIGHT + 3 * 3_600_000 }], startBefore(trades, SEVEN))
    for (const [name, flats] of [
      ['1s', 3_600],
      ['1m', 179],
      ['5m', 35],
      ['15m', 11],
      ['1h', 2],
      ['4h', 0],
    ] as const) {
      const silent = [...run.newest.get(name)!.values()].filter(bar => bar.tradeCount === 0)
      expect(silent.length, name).toBe(flats)
      for (const bar of silent) {
        expectFlat(bar, 107n)
        expect(bar.complete).toBe(true)
      }
    }
  })

  test('there is no bar before the first trade, whatever the watermarks', () => {
    const bars = newSymbolBars('A', SEVEN, EXCHANGE_SCALES, 0, 0)
    const changes = newChanges()
    applyWatermark(bars, MIDNIGHT, changes)
    applyWatermark(bars, MIDNIGHT + 86_400_000, changes)
    expect(changes.closed).toEqual([])
    expect(liveBarsOf(bars)).toEqual(SEVEN.map(() => undefined))
  })

  test('after a trading halt there is no bar for the time between, and the bars on both sides are right', () => {
    const intervals = intervalsOf(['1m', '5m'])
    const bars = newSymbolBars('A', intervals, EXCHANGE_SCALES, 0, 0)
    const changes = newChanges()
    applyTrade(bars, tradeAt(1, MIDNIGHT + 1), changes)
    applyTrade(bars, tradeAt(2, MIDNIGHT + 20 * MINUTE + 5, 200n), changes, false)
    expect(changes.closed.map(bar => [bar.interval, bar.openTime, bar.tradeCount])).toEqual([
      ['1m', MIDNIGHT, 1],
      ['5m', MIDNIGHT, 1],
    ])
    expect(liveBarsOf(bars).map(bar => [bar!.openTime, bar!.tradeCount, bar!.complete])).toEqual([
      [MIDNIGHT + 20 * MINUTE, 1, true],
      [MIDNIGHT + 20 * MINUTE, 1, true],
    ])
  })

  test(`a silence of years writes at most ${FLAT_RUN_MAX} flat bars for each interval, and goes on rightly after it`, () => {
    const years = 3 * 365 * 86_400_000
    const trades = [
      tradeAt(1, MIDNIGHT + 1, 100n),
      tradeAt(2, MIDNIGHT + years, 200n),
      tradeAt(3, MIDNIGHT + years + MINUTE),
    ]
    const run = runOf(trades, startBefore(trades, SEVEN))
    expectOracle(run, SEVEN, trades)
    for (const [name, told] of run.newest) {
      expect([...told.values()].filter(bar => bar.tradeCount === 0).length, name).toBeLessThanOrEqual(FLAT_RUN_MAX + 59)
    }
    expect(run.newest.get('1d')!.size).toBe(3 * 365)
  })
})

describe('completeness', () => {
  test('with any trades missing, exactly the bars that they could belong to are not complete', () => {
    fc.assert(
      fc.property(
        tradeLists(),
        intervalLists,
        fc.array(fc.boolean(), { minLength: 50, maxLength: 50 }),
        (all, intervals, dropped) => {
          const trades = all.filter((_, index) => !dropped[index])
          fc.pre(trades.length > 0)
          const run = runOf(trades, startBefore(all, intervals))
          expectOracle(run, intervals, trades)
          for (const interval of intervals) {
            const spoilt = (bar: Bar) =>
              trades.some((trade, index) => {
                const before = trades[index - 1]
                if (trade.tradeId === (before?.tradeId ?? all[0]!.tradeId - 1) + 1) return false
                const from = before === undefined ? 0 : openTimeOf(interval, before.tradeTime)
                return bar.openTime >= from && bar.openTime <= trade.tradeTime
              })
            for (const bar of barsOfRun(run, interval).values()) {
              expect(bar.complete, `${interval.name} ${bar.openTime}`).toBe(!spoilt(bar))
            }
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  test('bars that open before trades are known without a hole are not complete, all later ones are', () => {
    fc.assert(
      fc.property(tradeLists(), intervalLists, fc.integer({ min: -10, max: 400_000 }), (trades, intervals, offset) => {
        const sinceTime = trades[0]!.tradeTime + offset
        const run = runOf(trades, startBefore(trades, intervals, sinceTime))
        for (const interval of intervals) {
          for (const bar of barsOfRun(run, interval).values()) {
            expect(bar.complete, `${interval.name} ${bar.openTime}`).toBe(bar.openTime >= sinceTime)
          }
        }
      }),
    )
  })
})

describe('written out and read back', () => {
  test('a state that is written and read before any step goes on as if it never was', () => {
    fc.assert(
      fc.property(
        tradeLists(),
        intervalLists,
        fc.array(fc.integer({ min: -9_000, max: 9_000 }), { maxLength: 50 }),
        (trades, intervals, offsets) => {
          const steps = trades.flatMap((trade, index): Step[] => {
            const offset = offsets[index]
            return offset === undefined ? [trade] : [trade, { watermark: trade.tradeTime + offset }]
          })
          const reread = runOf(steps, startBefore(trades, intervals), bars =>
            symbolBarsOfText('TESTUSDT', intervals, { live: liveTextOf(bars), closed: closedTextOf(bars) }),
          )
          const plain = runOf(steps, startBefore(trades, intervals))
          expect(reread.newest).toEqual(plain.newest)
          expect(liveBarsOf(reread.bars)).toEqual(liveBarsOf(plain.bars))
          expect(liveTextOf(reread.bars)).toBe(liveTextOf(plain.bars))
          expect(closedTextOf(reread.bars)).toBe(closedTextOf(plain.bars))
        },
      ),
    )
  })
})

test('a hole of ids marks every live bar as changed, also when the trade after it is late and belongs to closed bars', () => {
  const bars = newSymbolBars('AAA', intervalsOf(['1s', '1m']), EXCHANGE_SCALES, 0, 0)
  const trade = (tradeId: number, tradeTime: number) => ({
    tradeId,
    tradeTime,
    price: 5n,
    quantity: 1n,
    takerSide: 'buy' as const,
  })
  applyTrade(bars, trade(1, 1_000_000_001_000), newChanges())
  for (const series of bars.series) series.changed = false
  applyTrade(bars, trade(3, 1_000_000_000_000), newChanges())
  expect(bars.series.map(series => series.changed)).toEqual([true, true])
  expect(liveBarsOf(bars).map(bar => bar?.complete)).toEqual([false, false])
})

test('a live bar that a late trade reprices is marked as changed', () => {
  const bars = newSymbolBars('AAA', intervalsOf(['1s', '1m']), EXCHANGE_SCALES, 0, 0)
  const start = 1_000_000_000_000
  const trade = (tradeId: number, tradeTime: number, price: bigint) => ({
    tradeId,
    tradeTime,
    price,
    quantity: 1n,
    takerSide: 'buy' as const,
  })
  applyTrade(bars, trade(1, start, 5n), newChanges())
  applyWatermark(bars, start + 1_000, newChanges())
  applyTrade(bars, trade(3, start, 5n), newChanges())
  for (const series of bars.series) series.changed = false
  applyTrade(bars, trade(4, start, 9n), newChanges())
  expect(liveBarsOf(bars)[0]).toMatchObject({ open: 9n, tradeCount: 0 })
  expect(bars.series[0]?.changed).toBe(true)
})
