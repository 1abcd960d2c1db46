import { expect, test } from 'vitest'
import { isEmptySelector, selects } from './selectors.ts'

test('a selector takes what has all of its labels', () => {
  expect(selects({ matchLabels: { a: '1' } }, { a: '1', b: '2' })).toBe(true)
  expect(selects({ matchLabels: { a: '1', b: '3' } }, { a: '1', b: '2' })).toBe(false)
  expect(selects({}, { a: '1' })).toBe(true)
  expect(selects(undefined, { a: '1' })).toBe(false)
})

test.each([
  ['In', ['1', '2'], true],
  ['NotIn', ['1'], false],
  ['NotIn', ['3'], true],
  ['Exists', [], true],
  ['DoesNotExist', [], false],
  ['Unknown', [], false],
])('an expression: a %s %j', (operator, values, is) => {
  expect(selects({ matchExpressions: [{ key: 'a', operator, values }] }, { a: '1' })).toBe(is)
})

test('an empty selector is told from one that asks for something', () => {
  expect(isEmptySelector({})).toBe(true)
  expect(isEmptySelector({ matchLabels: { a: '1' } })).toBe(false)
})
