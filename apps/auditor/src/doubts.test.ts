import { describe, expect, test } from 'vitest'
import { Doubts, LOOKS_MAX } from './doubts.ts'

const OPEN_TIME = 1_723_161_600_000

describe('a bar in doubt', () => {
  test('is looked at again ever more seldom, and after the last look not any more', () => {
    const doubts = new Doubts()
    let now = 0
    const waits: number[] = []
    for (let look = 1; look <= LOOKS_MAX; look++) {
      expect(doubts.looks(OPEN_TIME, '0/7')).toBe(look - 1)
      doubts.note(OPEN_TIME, '0/7', now)
      const noted = now
      while (look < LOOKS_MAX && !doubts.isDue(OPEN_TIME, '0/7', now)) now += 500
      waits.push(now - noted)
    }
    for (const [index, wait] of waits.slice(0, -1).entries()) {
      const bound = Math.min(960_000, 10_000 * 2 ** index)
      expect(wait, `look ${index + 1}`).toBeGreaterThanOrEqual(bound / 2)
      expect(wait).toBeLessThanOrEqual(bound + 500)
    }
    expect(doubts.isDue(OPEN_TIME, '0/7', Number.MAX_SAFE_INTEGER)).toBe(false)
    expect(doubts.due(Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  test('begins anew with another version of the bar', () => {
    const doubts = new Doubts()
    for (let look = 0; look < LOOKS_MAX; look++) doubts.note(OPEN_TIME, '0/7', 0)
    expect(doubts.isDue(OPEN_TIME, '1/7', 0)).toBe(true)
    expect(doubts.looks(OPEN_TIME, '1/7')).toBe(0)
    doubts.note(OPEN_TIME, '1/7', 0)
    expect([doubts.looks(OPEN_TIME, '1/7'), doubts.isDue(OPEN_TIME, '1/7', 0)]).toEqual([1, false])
  })

  test('that is only early waits without having been looked at', () => {
    const doubts = new Doubts(1_000)
    doubts.postpone(OPEN_TIME, 'none', 5_000)
    expect([doubts.looks(OPEN_TIME, 'none'), doubts.due(5_999), doubts.due(6_000)]).toEqual([0, [], [OPEN_TIME]])
    doubts.clear(OPEN_TIME)
    expect([doubts.size, doubts.isDue(OPEN_TIME, 'none', 5_000)]).toEqual([0, true])
  })

  test('makes room for later ones when there are too many', () => {
    const doubts = new Doubts()
    for (let index = 0; index < 1_001; index++) doubts.note(index, 'none', 0)
    expect(doubts.size).toBe(1_000)
    expect([doubts.looks(0, 'none'), doubts.looks(1, 'none'), doubts.looks(1_000, 'none')]).toEqual([0, 1, 1])
  })
})
