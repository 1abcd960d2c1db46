import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idOfPositions, positionsOfId } from './stream-position.ts'

test('positions come back out of an id as they went in', () => {
  const time = fc.integer({ min: 0, max: 78_000_000_000 }).map(seconds => seconds * 1_000)
  const positions = fc.array(fc.option(time, { nil: undefined }), { minLength: 1, maxLength: 16 })
  fc.assert(
    fc.property(positions, times => {
      const id = idOfPositions(times)
      expect(positionsOfId(id, times.length)).toEqual(times)
      expect(positionsOfId(id, times.length + 1)).toBeUndefined()
    }),
  )
})

test('an id is short: some seven characters for each series', () => {
  expect(idOfPositions([1_723_161_240_000, undefined, 1_723_161_000_000])).toBe('shxbq0.-.shxbjc')
})

test.each(['', '.', '-.-', 'a b', 'ABC', 'shxeco\n', '-1', 'zzzzzzzz', 'é', 'a'.repeat(100)])(
  'an id that no server of ours has sent is none: %j',
  id => {
    expect(positionsOfId(id, 1)).toBeUndefined()
  },
)
