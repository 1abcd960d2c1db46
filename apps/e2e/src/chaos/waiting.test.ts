import { expect, test } from 'vitest'
import { type Pause, Waiting } from './waiting.ts'

function waitingWith(): { waiting: Waiting; pauses: Pause[] } {
  const pauses: Pause[] = []
  return { waiting: new Waiting('{p00}', 'log', pauses), pauses }
}

test('a partition waits from the first thing that is not done to the next that is', () => {
  const { waiting, pauses } = waitingWith()
  waiting.reach(10, 'a', 0)
  waiting.expect(11, 1_000)
  waiting.expect(15, 1_500)
  waiting.reach(10, 'a', 1_600)
  waiting.reach(12, 'b', 2_000)
  expect(pauses).toEqual([{ tag: '{p00}', progress: 'log', from: 1_000, to: 2_000, changedOwner: true }])
})

test('a time in which nothing is to be done is no pause, and a backlog that is worked off neither', () => {
  const { waiting, pauses } = waitingWith()
  waiting.reach(10, 'a', 0)
  waiting.expect(10, 100)
  waiting.expect(20, 5_000)
  for (const [value, now] of [
    [12, 5_050],
    [16, 5_100],
    [20, 5_150],
  ] as const) {
    waiting.reach(value, 'a', now)
  }
  expect(pauses).toEqual([])
})

test('what comes again after Redis lost its tail is no progress', () => {
  const { waiting, pauses } = waitingWith()
  waiting.reach(10, 'a', 0)
  waiting.expect(11, 1_000)
  waiting.reach(8, 'b', 1_200)
  waiting.reach(10, 'b', 1_400)
  waiting.reach(11, 'b', 1_600)
  expect(pauses).toMatchObject([{ from: 1_000, to: 1_600, changedOwner: true }])
})
