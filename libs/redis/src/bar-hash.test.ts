import { expect, test } from 'vitest'
import { BAR_FIELDS, changedFields } from './bar-hash.ts'

const before = BAR_FIELDS.map(field => `${field} before`)

test('without anything written before, every field is written', () => {
  expect(changedFields(before, undefined)).toEqual(BAR_FIELDS.flatMap(field => [field, `${field} before`]))
})

test('of a hash that was written, what differs is written again, and nothing else', () => {
  const now = before.with(BAR_FIELDS.indexOf('close'), '5').with(BAR_FIELDS.indexOf('position'), '6')
  expect(changedFields(now, before)).toEqual(['position', '6', 'close', '5'])
  expect(changedFields(before, before)).toEqual([])
})
