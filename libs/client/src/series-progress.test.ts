import type { BarVersion } from '@chart/grpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BarChange } from './chart-event.ts'
import { SeriesProgress } from './series-progress.ts'

const MINUTE_MS = 60_000

const live = (minute: number, lastTradeId: number): BarVersion => ({
  openTime: minute * MINUTE_MS,
  state: 'live',
  revision: 0,
  lastTradeId,
})
const closed = (minute: number, lastTradeId: number, revision = 0): BarVersion => ({
  openTime: minute * MINUTE_MS,
  state: 'closed',
  revision,
  lastTradeId,
})

/** A progress that has taken all of these. */
function progressAfter(told: readonly (readonly [BarChange, BarVersion])[], sinceTime?: number): SeriesProgress {
  const progress = new SeriesProgress(sinceTime)
  for (const [change, version] of told) expect(progress.take(change, version), JSON.stringify(version)).toBe(true)
  return progress
}

describe('a live bar', () => {
  const progress = () => progressAfter([['snapshot', live(5, 50)]])

  test.each([
    ['a later trade of it', live(5, 51), true],
    ['the same', live(5, 50), false],
    ['an earlier state of it', live(5, 49), false],
    ['the next one', live(6, 51), true],
    ['the next one without trades', live(6, -1), true],
    ['the one before', live(4, 60), false],
  ])('is followed by: %s', (_, version, passes) => {
    expect(progress().take('update', version)).toBe(passes)
    expect(progress().take('snapshot', version)).toBe(passes)
  })

  test('is not taken up again once it has closed', () => {
    const after = progressAfter([
      ['snapshot', live(5, 50)],
      ['closed', closed(5, 50)],
    ])
    expect(after.take('update', live(5, 51))).toBe(false)
  })
})

describe('a closed bar', () => {
  test('passes once, and then only those after it', () => {
    const progress = progressAfter([
      ['snapshot', live(5, 50)],
      ['closed', closed(5, 55)],
      ['closed', closed(6, 60)],
    ])
    expect(progress.take('closed', closed(5, 55))).toBe(false)
    expect(progress.take('closed', closed(6, 60))).toBe(false)
    expect(progress.take('closed', closed(4, 40)), 'before the stream began').toBe(false)
    expect(progress.take('closed', closed(7, 70))).toBe(true)
  })

  test('does not pass behind a later one, although it was never told', () => {
    const progress = progressAfter([
      ['snapshot', live(5, 50)],
      ['closed', closed(5, 55)],
      ['closed', closed(7, 70)],
      ['update', live(9, 90)],
    ])
    expect(progress.take('closed', closed(6, 60))).toBe(false)
    expect(progress.take('closed', closed(8, 80))).toBe(false)
  })

  test('is corrected once for each version, also when its first version was not remembered', () => {
    const progress = progressAfter([
      ['snapshot', live(5, 50)],
      ['closed', closed(5, 55)],
      ['corrected', closed(5, 55, 1)],
      ['corrected', closed(5, 57, 1)],
      ['corrected', closed(5, 57, 3)],
    ])
    expect(progress.take('corrected', closed(5, 57, 3))).toBe(false)
    expect(progress.take('corrected', closed(5, 57, 2))).toBe(false)
    for (let minute = 6; minute < 100; minute++) progress.take('closed', closed(minute, minute * 10))
    expect(progress.take('corrected', closed(6, 60, 1))).toBe(true)
    expect(progress.take('corrected', closed(6, 60, 1))).toBe(false)
    expect(progress.take('corrected', closed(5, 57, 3)), 'an old correction').toBe(false)
  })

  test('that is told in a corrected version at once takes its place in the order', () => {
    const progress = progressAfter([
      ['snapshot', live(5, 50)],
      ['corrected', closed(5, 55, 1)],
    ])
    expect(progress.told(64)?.newest).toEqual(closed(5, 55, 1))
    expect(progress.take('closed', closed(5, 55))).toBe(false)
  })

  test('of a time before the stream began does not pass as a correction either', () => {
    const progress = progressAfter([['snapshot', live(5, 50)]])
    expect(progress.take('corrected', closed(4, 49, 1))).toBe(false)
    expect(progressAfter([], 3 * MINUTE_MS).take('closed', closed(2, 20))).toBe(false)
  })

  test('as a correction before anything else does not begin the stream, unless its time was asked for', () => {
    expect(progressAfter([['corrected', closed(4, 49, 1)]]).told(64)).toBeUndefined()
    expect(progressAfter([['corrected', closed(4, 49, 1)]], 0).told(64)?.newest).toEqual(closed(4, 49, 1))
  })
})

describe('what an edge is told', () => {
  test('is the newest bar and the newest 64 corrections, by their time', () => {
    const progress = progressAfter([['snapshot', live(0, 1)]])
    for (let minute = 0; minute < 100; minute++) {
      progress.take('closed', closed(minute, minute * 10))
      progress.take('corrected', closed(minute, minute * 10, 1))
    }
    const { newest, corrected } = progress.told(64)!
    expect(newest).toEqual(closed(99, 990, 1))
    expect(corrected.map(({ openTime }) => openTime / MINUTE_MS)).toEqual(
      Array.from({ length: 64 }, (_, index) => 99 - index),
    )
  })

  test('is what an edge said where the reader has nothing, and what the reader has where it has something', () => {
    const progress = new SeriesProgress()
    progress.adopt({ newest: live(5, 50), corrected: [closed(3, 30, 2)] })
    expect(progress.told(64)).toEqual({ newest: live(5, 50), corrected: [closed(3, 30, 2)] })
    expect(progress.take('closed', closed(5, 55))).toBe(true)
    progress.adopt({ newest: live(9, 90), corrected: [] })
    expect(progress.told(64)?.newest).toEqual(closed(5, 55))
  })
})

test('a gap is told once, and only as far as it is new', () => {
  const progress = progressAfter([['snapshot', live(5, 50)]])
  const gap = { symbol: 'A', interval: '1m', startTime: 6 * MINUTE_MS, endTime: 9 * MINUTE_MS }
  expect(progress.takeGap(gap)).toEqual(gap)
  expect(progress.takeGap(gap)).toBeUndefined()
  expect(progress.takeGap({ ...gap, endTime: 11 * MINUTE_MS })).toEqual({
    ...gap,
    startTime: 9 * MINUTE_MS,
    endTime: 11 * MINUTE_MS,
  })
  progress.take('closed', closed(20, 200))
  expect(progress.takeGap({ ...gap, endTime: 20 * MINUTE_MS }), 'behind what the reader has').toBeUndefined()
})

/** One thing that a market told: in order, each once. */
interface Told {
  readonly change: BarChange
  readonly version: BarVersion
}

/** A market as an edge without faults tells it: live bars, closings, corrections of the last three bars. */
const market = fc
  .array(fc.constantFrom('trade', 'trade', 'trade', 'close', 'correct' as const), { minLength: 1, maxLength: 120 })
  .map(steps => {
    const told: Told[] = [{ change: 'snapshot', version: live(0, 1) }]
    const bars: BarVersion[] = []
    let current = live(0, 1)
    let tradeId = 1
    for (const [index, step] of steps.entries()) {
      if (step === 'trade') {
        current = live(current.openTime / MINUTE_MS, ++tradeId)
        told.push({ change: 'update', version: current })
      } else if (step === 'close') {
        const version = { ...current, state: 'closed' as const }
        bars.push(version)
        current = live(current.openTime / MINUTE_MS + 1, ++tradeId)
        told.push({ change: 'closed', version }, { change: 'update', version: current })
      } else if (bars.length > 0) {
        const at = Math.max(0, bars.length - 1 - (index % 3))
        const version = { ...bars[at]!, revision: bars[at]!.revision + 1, lastTradeId: ++tradeId }
        bars[at] = version
        told.push({ change: 'corrected', version })
      }
    }
    return told
  })

test('whatever is repeated, and by however lagging an edge, each version passes once and in the order of the market', () => {
  const replays = fc.array(fc.tuple(fc.nat(120), fc.nat(20)), { maxLength: 20 })
  fc.assert(
    fc.property(market, replays, (told, cuts) => {
      const progress = new SeriesProgress()
      const passed: Told[] = []
      const tell = (one: Told) => progress.take(one.change, one.version) && passed.push(one)
      let next = 0
      for (const [length, back] of cuts) {
        const until = Math.min(told.length, next + length)
        for (; next < until; next++) tell(told[next]!)
        // An edge that is behind tells its last events again, after a snapshot of where it stands.
        const from = Math.max(0, next - back)
        const snapshot = told.slice(0, from).findLast(({ version }) => version.state === 'live')
        if (snapshot !== undefined) tell({ change: 'snapshot', version: snapshot.version })
        for (const one of told.slice(from, next)) tell(one)
      }
      for (; next < told.length; next++) tell(told[next]!)
      expect(passed).toEqual(told)
    }),
  )
})
