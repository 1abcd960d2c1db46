import { expect, test } from 'vitest'
import { UpdatePositions } from './update-positions.ts'

test('an update that does not follow the one before it shows that one was missed', () => {
  const positions = new UpdatePositions()
  expect(positions.reach('p', 4)).toBe(true)
  expect([positions.take('p', 4, 6), positions.take('p', 6, 7), positions.take('p', 9, 10)]).toEqual([
    true,
    true,
    false,
  ])
})

test('the first update after a reading has to follow what was read', () => {
  const positions = new UpdatePositions()
  positions.reach('p', 4)
  expect(positions.take('p', 5, 6)).toBe(false)
})

test('a reading has to reach the first update that came while it went on, and is asked for once', () => {
  const positions = new UpdatePositions()
  expect(positions.take('p', 5, 6)).toBe(true)
  expect([positions.reach('p', 4), positions.reach('p', 4)]).toEqual([false, true])
  expect(positions.take('p', 6, 7)).toBe(true)
})

test('after a reconnect an equal number of another life proves nothing', () => {
  const positions = new UpdatePositions()
  positions.reach('p', 4)
  positions.take('p', 4, 6)
  positions.forget('p')
  expect(positions.take('p', 6, 7)).toBe(true)
  expect(positions.reach('p', 5)).toBe(false)
})

test('partitions are counted each by itself', () => {
  const positions = new UpdatePositions()
  positions.reach('p', 4)
  positions.reach('q', 9)
  expect([positions.take('q', 9, 10), positions.take('p', 4, 5)]).toEqual([true, true])
})
