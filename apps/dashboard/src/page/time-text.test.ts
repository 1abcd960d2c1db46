import { expect, it } from 'vitest'
import { ageText, clockText, timeText } from './time-text.ts'

const time = Date.UTC(2026, 3, 1, 12, 5, 7)

it('a moment is told as finely as the interval is', () => {
  expect(timeText(time, '1s')).toBe('2026-04-01 12:05:07')
  expect(timeText(time, '5m')).toBe('2026-04-01 12:05')
  expect(timeText(time, '1d')).toBe('2026-04-01')
  expect(clockText(time)).toBe('12:05:07')
})

it.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
])('%s ms are %s', (ms, text) => {
  expect(ageText(ms)).toBe(text)
})
