import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlidingWindow } from './sliding-window.ts'

describe('a sliding window', () => {
  it('grants what fits and says when the rest will', () => {
    const window = new SlidingWindow(100, 1_000)
    window.spend(0, 60)
    window.spend(400, 30)
    expect(window.waitMs(500, 10)).toBe(0)
    expect(window.waitMs(500, 11)).toBe(500)
    expect(window.waitMs(500, 71)).toBe(900)
    expect(window.waitMs(1_000, 70)).toBe(0)
    expect(window.used(1_400)).toBe(0)
  })

  it('grants a cost above the maximum only alone', () => {
    const window = new SlidingWindow(10, 1_000)
    expect(window.waitMs(0, 25)).toBe(0)
    window.spend(0, 1)
    expect(window.waitMs(0, 25)).toBe(1_000)
  })

  it('never lets more than the maximum into any window, however it is cut, and never waits longer than needed', () => {
    const asks = fc.array(fc.record({ after: fc.nat(700), cost: fc.integer({ min: 1, max: 50 }) }), { maxLength: 60 })
    fc.assert(
      fc.property(asks, all => {
        const window = new SlidingWindow(100, 1_000)
        const spent: { time: number; cost: number }[] = []
        const usedIn = (end: number) =>
          spent.reduce((sum, { time, cost }) => sum + (time > end - 1_000 && time <= end ? cost : 0), 0)
        let now = 0
        for (const { after, cost } of all) {
          now += after
          const waitMs = window.waitMs(now, cost)
          if (waitMs > 0) expect(usedIn(now + waitMs - 1) + cost).toBeGreaterThan(100)
          now += waitMs
          window.spend(now, cost)
          spent.push({ time: now, cost })
          expect(usedIn(now)).toBeLessThanOrEqual(100)
        }
      }),
    )
  })
})
