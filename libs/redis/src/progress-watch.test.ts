import { expect, test } from 'vitest'
import { ProgressWatch } from './progress-watch.ts'

/** Looks every 100 ms from `from` on while `mark` stands, and gives the time of the first steal. */
function stealTimeOf(watch: ProgressWatch, from: number, mark = 7, untilTime = from + 100_000): number | undefined {
  for (let now = from; now <= untilTime; now += 100) if (watch.observe('p', mark, true, now)) return now
  return undefined
}

test('an owner that stands still with work ahead is stolen from after the threshold', () => {
  expect(stealTimeOf(new ProgressWatch(400), 1_000)).toBe(1_400)
})

test('one that moves, however slowly, and one that has nothing to do, keep what they have', () => {
  const watch = new ProgressWatch(400)
  for (let now = 0; now < 60_000; now += 100) {
    expect(watch.observe('slow', Math.floor(now / 300), true, now)).toBe(false)
    expect(watch.observe('idle', 1, false, now)).toBe(false)
  }
  expect(watch.observe('idle', 1, true, 60_400)).toBe(false)
  expect(watch.observe('idle', 1, true, 60_800)).toBe(true)
})

test('who is late itself waits longer, and not for ever', () => {
  const watch = new ProgressWatch(400)
  watch.observe('p', 7, true, 0)
  expect(watch.observe('p', 7, true, 3_900, true)).toBe(false)
  expect(watch.observe('p', 7, true, 4_000, true)).toBe(true)
})

test('keys are watched each by itself', () => {
  const watch = new ProgressWatch(400)
  watch.observe('a', 1, true, 0)
  watch.observe('b', 1, true, 300)
  expect([watch.observe('a', 1, true, 400), watch.observe('b', 1, true, 400)]).toEqual([true, false])
})

test('each steal doubles the threshold up to a bound, and calm brings it down again', () => {
  const watch = new ProgressWatch(400)
  const waits: number[] = []
  let now = 0
  for (let steal = 0; steal < 9; steal++) {
    const time = stealTimeOf(watch, now)!
    watch.noteSteal('p', time)
    waits.push(time - now)
    now = time
  }
  expect(waits.slice(0, 5)).toEqual([400, 1_000, 1_600, 3_200, 6_400])
  expect(Math.max(...waits)).toBeLessThanOrEqual(30_000)
  expect(watch.observe('p', 8, true, now + 200_000)).toBe(false)
  expect(watch.observe('p', 8, true, now + 200_400)).toBe(true)
})

test('what was seen before a break does not count', () => {
  const watch = new ProgressWatch(400)
  watch.observe('p', 7, true, 0)
  watch.rest()
  expect(watch.observe('p', 7, true, 5_000)).toBe(false)
  expect(stealTimeOf(watch, 5_100)).toBe(5_400)
})
