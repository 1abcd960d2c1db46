import type { Report } from './report.ts'
import { resultOf } from './result.ts'
import type { Sample, Stage } from './stage.ts'

/** For tests only: a stage of two ways, and reports of it. */
export const STAGE: Stage = {
  name: 'cooking',
  job: 'eggs to omelettes',
  figures: [
    { name: 'perSecond', unit: 'eggs/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU an egg', better: 'less' },
  ],
  variants: [
    { name: 'ours', role: 'ours' },
    { name: 'raw', role: 'floor' },
  ],
  comparisons: [
    { variant: 'ours', against: 'raw', figure: 'perSecond', atLeast: 0.5 },
    { variant: 'ours', against: 'raw', figure: 'cpuUs' },
  ],
  open: () => Promise.reject(new Error('nothing to open')),
}

export function resultOfRounds(ours: readonly Sample[], raw: readonly Sample[]) {
  return resultOf(
    STAGE,
    new Map([
      ['ours', ours],
      ['raw', raw],
    ]),
  )
}

export function reportOf(ours: readonly Sample[], raw: readonly Sample[]): Report {
  const machine = { cpu: 'a processor', cores: 2, memoryGb: 8, system: 'Linux', node: 'v24.0.0', load: 0.5 }
  return { machine, begun: '2026-01-31T12:00:00.000Z', rounds: 3, size: 1, stages: [resultOfRounds(ours, raw)] }
}
