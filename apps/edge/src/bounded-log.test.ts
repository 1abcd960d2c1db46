import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BoundedLog } from './bounded-log.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function logging() {
  const lines: { fields: object; message: string }[] = []
  const words = { line: 'refused', rest: 'more refused in this second' }
  return { lines, log: new BoundedLog(words, (fields, message) => lines.push({ fields, message })) }
}

const refusal = { what: 'call', peer: '10.0.0.1:5', code: 'UNAUTHENTICATED', reason: 'no key' } as const

test('each refusal is a line', () => {
  const { lines, log } = logging()
  log.add(refusal)
  expect(lines).toEqual([{ fields: refusal, message: 'refused' }])
})

test('a flood is ten lines a second, and a number for the rest', () => {
  const { lines, log } = logging()
  for (let count = 0; count < 1_000; count++) log.add(refusal)
  expect(lines).toHaveLength(10)
  vi.advanceTimersByTime(1_000)
  expect(lines.slice(10)).toEqual([{ fields: { count: 990 }, message: 'more refused in this second' }])
  log.add(refusal)
  expect(lines).toHaveLength(12)
  vi.advanceTimersByTime(5_000)
  expect(lines).toHaveLength(12)
})

test('what is untold is told at the end', () => {
  const { lines, log } = logging()
  for (let count = 0; count < 12; count++) log.add(refusal)
  log.flush()
  expect(lines.at(-1)).toEqual({ fields: { count: 2 }, message: 'more refused in this second' })
})
