import { expect, it } from 'vitest'
import { barText } from './bar.testing.ts'
import { signsOf } from './bar-signs.ts'

it.each([
  ['none for a bar as it should be', {}, []],
  ['a correction', { revision: 2 }, ['corrected']],
  ['missing trades', { complete: false }, ['incomplete']],
  ['no trades', { tradeCount: 0 }, ['flat']],
  ['an imported bar, which is no incomplete one', { proof: 'imported', complete: false }, ['imported']],
  ['several at once', { revision: 1, complete: false, tradeCount: 0 }, ['corrected', 'incomplete', 'flat']],
] as const)('signs: %s', (_, fields, signs) => {
  expect(signsOf(barText(0, fields))).toEqual(signs)
})
