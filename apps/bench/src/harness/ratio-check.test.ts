import { expect, it } from 'vitest'
import { reportOf } from './example.testing.ts'
import {
  checkRatios,
  checkText,
  FALL_MAX,
  fallMaxOf,
  type RecordedRatios,
  recordedRatiosOf,
  withStagesOf,
} from './ratio-check.ts'

/** A report in which ours makes `ratio` of what the floor makes; one round each. */
function reportAt(...ratios: number[]) {
  return reportOf(
    ratios.map(ratio => ({ perSecond: ratio * 1_000, cpuUs: 1 })),
    ratios.map(() => ({ perSecond: 1_000, cpuUs: 1 })),
  )
}

function verdictsOf(recorded: RecordedRatios, ...now: number[]) {
  return checkRatios(recorded, reportAt(...now)).map(({ figure, verdict }) => [figure, verdict])
}

it('keeps what is within the tolerance and finds what fell below it or rose above', () => {
  const recorded = recordedRatiosOf(reportAt(0.6))
  expect(verdictsOf(recorded, 0.6 * (1 - FALL_MAX) + 0.01)[0]).toEqual(['perSecond', 'kept'])
  expect(verdictsOf(recorded, 0.6 * (1 - FALL_MAX) - 0.01)[0]).toEqual(['perSecond', 'fell'])
  expect(verdictsOf(recorded, 0.6 / (1 - FALL_MAX) + 0.01)[0]).toEqual(['perSecond', 'rose'])
})

it('lets a ratio fall further when its recorded rounds ranged further down, and no further for a narrow range', () => {
  const wide = recordedRatiosOf(reportAt(0.2, 0.6, 0.7))
  expect(fallMaxOf(wide.ratios[0]!)).toBeCloseTo(2 / 3)
  expect(verdictsOf(wide, 0.25)[0]).toEqual(['perSecond', 'kept'])
  expect(verdictsOf(wide, 0.19)[0]).toEqual(['perSecond', 'fell'])
  expect(fallMaxOf(recordedRatiosOf(reportAt(0.59, 0.6, 0.7)).ratios[0]!)).toBe(FALL_MAX)
})

it('tells what is new and what is missing', () => {
  const recorded = recordedRatiosOf(reportAt(0.6))
  const [speed, cpu] = recorded.ratios
  expect(verdictsOf({ ...recorded, ratios: [speed!] }, 0.6)).toEqual([
    ['perSecond', 'kept'],
    ['cpuUs', 'new'],
  ])
  const old = { ...cpu!, against: 'boiled' }
  expect(checkRatios({ ...recorded, ratios: [speed!, cpu!, old] }, reportAt(0.6))[2]).toMatchObject({
    against: 'boiled',
    now: undefined,
    verdict: 'missing',
  })
})

it('says nothing of stages that were not run, and keeps them when others are recorded', () => {
  const recorded = recordedRatiosOf(reportAt(0.6))
  const other = { ...recorded.ratios[0]!, stage: 'washing' }
  const both = { ...recorded, ratios: [other, ...recorded.ratios] }
  expect(verdictsOf(both, 0.6)).toHaveLength(2)
  expect(withStagesOf(both, reportAt(0.9)).ratios.map(({ stage, median }) => [stage, median])).toEqual([
    ['washing', 0.6],
    ['cooking', 0.9],
    ['cooking', 1],
  ])
})

it('does not record what could not be measured, also after it has been JSON', () => {
  const report = reportOf([{ perSecond: 500 }], [{ perSecond: 1_000 }])
  expect(recordedRatiosOf(report).ratios.map(({ figure }) => figure)).toEqual(['perSecond'])
  const read = JSON.parse(JSON.stringify(report))
  expect(recordedRatiosOf(read).ratios.map(({ figure }) => figure)).toEqual(['perSecond'])
  expect(checkRatios(recordedRatiosOf(reportAt(0.5)), read)[1]).toMatchObject({ figure: 'cpuUs', verdict: 'missing' })
})

it('prints a table', () => {
  const recorded = recordedRatiosOf(reportAt(0.6))
  expect(checkText(checkRatios({ ...recorded, ratios: [recorded.ratios[0]!] }, reportAt(0.3)))).toBe(
    `| stage | ours | against | by | recorded | may fall | now | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |
| cooking | ours | raw | perSecond | 0.6 | −33 % | 0.3 | FELL |
| cooking | ours | raw | cpuUs | – |  | 1 | new |`,
  )
})
