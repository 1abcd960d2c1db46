import { afterEach, describe, expect, it, vi } from 'vitest'
import type { BarsAnswer } from '../wire.ts'
import { barText } from './bar.testing.ts'
import { HeldSeries } from './held-series.ts'

const MINUTE = 60_000
const NAME = { symbol: 'BTCUSDT', interval: '1m' }
const barsOf = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => barText((from + index) * MINUTE))

/** A series, and what it was told to draw anew. */
function seriesWith(stored: ReturnType<typeof barsOf>) {
  const asked: number[] = []
  const ask = async (_: unknown, before: number): Promise<BarsAnswer> => {
    asked.push(before / MINUTE)
    const bars = stored.filter(bar => bar.openTime < before).slice(-5)
    return { bars, isFirst: bars[0] === stored[0] }
  }
  const series = new HeldSeries(NAME, ask)
  const changes: (number | undefined)[] = []
  const reader = { lookedAtFrom: Number.POSITIVE_INFINITY, onChange: (from: number | undefined) => changes.push(from) }
  series.readers.add(reader)
  const history = (from: number, to: number, replace = true) =>
    series.takeHistory({ ...NAME, bars: barsOf(from, to), replace, isFirst: false })
  return { series, asked, changes, reader, history }
}

const minutesOf = ({ bars }: HeldSeries) => bars.map(bar => bar.openTime / MINUTE)

afterEach(() => {
  vi.useRealTimers()
})

describe('older bars', () => {
  it('are put in front, up to the first one', async () => {
    const { series, asked, history } = seriesWith(barsOf(1, 20))
    history(12, 20)
    await series.loadOlder()
    expect(minutesOf(series)[0]).toBe(7)
    await series.loadOlder()
    await series.loadOlder()
    expect(series.isFirst).toBe(true)
    await series.loadOlder()
    expect(asked).toEqual([12, 7, 2])
    expect(minutesOf(series)).toEqual(barsOf(1, 20).map(bar => bar.openTime / MINUTE))
  })

  it('are asked for again after a while where there were none, since a new series is given its past later', async () => {
    vi.useFakeTimers()
    const stored = barsOf(15, 20)
    const { series, asked, history } = seriesWith(stored)
    history(15, 20)
    await series.loadOlder()
    expect(series.isFirst).toBe(true)
    stored.unshift(...barsOf(12, 14))
    await series.loadOlder()
    expect(asked).toEqual([15])
    vi.advanceTimersByTime(10_000)
    await series.loadOlder()
    expect(minutesOf(series)[0]).toBe(12)
  })

  it('are asked for once at a time, and not before there is a history', async () => {
    const { series, asked, history } = seriesWith(barsOf(1, 20))
    await series.loadOlder()
    history(12, 20)
    await Promise.all([series.loadOlder(), series.loadOlder()])
    expect(asked).toEqual([12])
  })

  it('that come after all was replaced are dropped', async () => {
    const { series, history } = seriesWith(barsOf(1, 20))
    history(12, 20)
    const loading = series.loadOlder()
    history(100, 110)
    await loading
    expect(minutesOf(series)[0]).toBe(100)
  })
})

describe('gaps', () => {
  it('are filled when the bars are there by now, one at a time from the newest on', async () => {
    const { series, asked, history } = seriesWith(barsOf(1, 20))
    history(3, 6)
    history(9, 12, false)
    history(15, 20, false)
    await series.fillGap()
    expect(asked).toEqual([15])
    await series.fillGap()
    expect(minutesOf(series)).toEqual(barsOf(3, 20).map(bar => bar.openTime / MINUTE))
    await series.fillGap()
    expect(asked).toHaveLength(2)
  })
})

describe('the position in a stream', () => {
  it('is that of the newest bar, but only once there is a history', () => {
    const { series, history } = seriesWith([])
    series.takeBar(barText(9 * MINUTE, { state: 'live' }))
    expect(series.wanted()).toEqual(NAME)
    history(1, 8)
    expect(series.wanted()).toEqual({ ...NAME, from: 9 * MINUTE })
  })
})

it('a history that does not come is said to be unavailable until it does', () => {
  vi.useFakeTimers()
  const { series, changes, history } = seriesWith([])
  series.awaitHistory()
  vi.advanceTimersByTime(5_000)
  expect(series.history).toBe('unavailable')
  expect(changes.at(-1)).toBeUndefined()
  history(1, 8)
  expect(series.history).toBe('here')
})

it('holds no more than 20,000 bars, and keeps those that are looked at a little longer', () => {
  const { series, reader, history } = seriesWith([])
  history(1, 20_000)
  series.takeBar(barText(20_001 * MINUTE))
  expect(minutesOf(series)[0]).toBe(2)
  reader.lookedAtFrom = 2 * MINUTE
  for (let minute = 20_002; minute <= 20_003; minute++) series.takeBar(barText(minute * MINUTE))
  expect(minutesOf(series)[0]).toBe(2)
  history(20_004, 22_100, false)
  expect(series.bars.length).toBeLessThanOrEqual(22_000)
})
