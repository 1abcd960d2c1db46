import { expect, it } from 'vitest'
import { reportOf } from './example.testing.ts'
import { isReached, numberText, textOf } from './report.ts'

it('tells machine, medians and ratios as tables', () => {
  const text = textOf(reportOf([{ perSecond: 600, cpuUs: 4 }], [{ perSecond: 1_000, cpuUs: 1 }]))
  expect(text).toBe(`2 × a processor, 8 GiB, Linux, Node v24.0.0, load 0.5
Medians of 3 interleaved rounds, begun 2026-01-31T12:00:00.000Z.

## cooking: eggs to omelettes

|  | way | eggs/s | µs CPU an egg |
| --- | --- | --- | --- |
| ours | ours | 600 | 4 |
| floor | raw | 1,000 | 1 |

| ours | against | by | times better | range | wanted |
| --- | --- | --- | --- | --- | --- |
| ours | raw | eggs/s | 0.6 | 0.6–0.6 | ≥ 0.5 reached |
| ours | raw | µs CPU an egg | 0.25 | 0.25–0.25 |  |`)
})

it('says that a wanted ratio was missed, and of how much work', () => {
  const text = textOf({ ...reportOf([{ perSecond: 400 }], [{ perSecond: 1_000 }]), size: 0.1 })
  expect(text).toContain('≥ 0.5 MISSED')
  expect(text).toContain('3 interleaved rounds of 0.1 of the work')
})

it('counts what could not be measured as missed', () => {
  const nothing = { variant: 'ours', against: 'raw', figure: 'perSecond', lowest: Number.NaN, highest: Number.NaN }
  expect(isReached({ ...nothing, median: Number.NaN, atLeast: 1 })).toBe(false)
  expect(isReached({ ...nothing, median: Number.NaN })).toBe(true)
})

it.each([
  [1_234_567.8, '1,234,568'],
  [99.96, '100'],
  [0.123456, '0.123'],
  [0, '0'],
  [Number.NaN, '–'],
  [undefined, '–'],
])('writes %s as %s', (value, text) => {
  expect(numberText(value)).toBe(text)
})
