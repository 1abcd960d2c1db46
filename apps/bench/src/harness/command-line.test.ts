import { expect, test } from 'vitest'
import { positive, wholeNumber, wholeNumbers } from './command-line.ts'

test('numbers of the command line are taken when they can be meant, and named when not', () => {
  expect(positive('size', '0.1')).toBe(0.1)
  for (const text of ['0', '-1', 'much', '', 'Infinity']) expect(() => positive('size', text)).toThrow('--size must be')
  expect(wholeNumber('rounds', '5')).toBe(5)
  for (const text of ['0', '1.5', '', 'five']) {
    expect(() => wholeNumber('rounds', text)).toThrow(`--rounds must be a whole number from 1, not "${text}"`)
  }
  expect(wholeNumbers('stuck', '0,20', 0)).toEqual([0, 20])
  expect(() => wholeNumbers('stuck', '0,,20', 0)).toThrow('not ""')
})
