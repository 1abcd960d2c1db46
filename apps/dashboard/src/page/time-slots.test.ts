import { describe, expect, it } from 'vitest'
import { barText } from './bar.testing.ts'
import { GAP_SLOTS_MAX, gapsOf, slotIndexAt, slotsOf } from './time-slots.ts'

const MINUTE = 60_000
const slotsOfMinutes = (...minutes: number[]) =>
  slotsOf(
    minutes.map(minute => barText(minute * MINUTE)),
    MINUTE,
  )

describe('places on the time axis', () => {
  it('are those of the bars where none is missing', () => {
    expect(slotsOfMinutes(1, 2, 3).map(slot => [slot.openTime / MINUTE, slot.bar !== undefined])).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ])
  })

  it('are kept for bars that are missing', () => {
    const slots = slotsOfMinutes(1, 4)
    expect(slots.map(slot => slot.openTime / MINUTE)).toEqual([1, 2, 3, 4])
    expect(slots[1]!.gap).toEqual({ fromTime: 2 * MINUTE, toTime: 4 * MINUTE, missing: 2 })
    expect(slots[2]!.gap).toBe(slots[1]!.gap)
  })

  it('are few for a long gap, each at the beginning of a bar, in order, and tell its true length', () => {
    const slots = slotsOfMinutes(0, 1_001)
    expect(slots).toHaveLength(GAP_SLOTS_MAX + 2)
    expect(slots[1]!.gap!.missing).toBe(1_000)
    const times = slots.map(slot => slot.openTime)
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
    expect(times.every(time => time % MINUTE === 0)).toBe(true)
  })
})

describe('the place of a moment', () => {
  const slots = slotsOfMinutes(1, 2, 5)
  it.each([
    [1 * MINUTE, 0],
    [2 * MINUTE - 1, 0],
    [2 * MINUTE, 1],
    [4.5 * MINUTE, 3],
    [5.9 * MINUTE, 4],
    [6 * MINUTE, -1],
    [0, -1],
  ])('%s is %s', (time, index) => {
    expect(slotIndexAt(slots, time, MINUTE)).toBe(index)
  })

  it('is found within a gap whose places are further apart than its bars', () => {
    const long = slotsOfMinutes(0, 1_001)
    const index = slotIndexAt(long, 500 * MINUTE, MINUTE)
    expect(long[index]!.gap).toBeDefined()
  })
})

it('gaps are told with their ends', () => {
  const bars = [1, 2, 5, 6, 8].map(minute => barText(minute * MINUTE))
  expect(gapsOf(bars, MINUTE)).toEqual([
    { fromTime: 3 * MINUTE, toTime: 5 * MINUTE, missing: 2 },
    { fromTime: 7 * MINUTE, toTime: 8 * MINUTE, missing: 1 },
  ])
  expect(gapsOf([], MINUTE)).toEqual([])
})
