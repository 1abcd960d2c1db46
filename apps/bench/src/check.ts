/**
 * `npm run bench:check`: runs the stages and holds their ratios against the recorded ones; exit 1 when one fell by more than it may. By
 * hand and before releases, since a machine that does something else at the time measures that as well. `--stages` and `--rounds` as at
 * `npm run bench`; `--from FILE` takes the JSON of a report of it instead of a run; `--record` writes the ratios down.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commandLine, positive, wholeNumber } from './harness/command-line.ts'
import { checkRatios, checkText, type RecordedRatios, withStagesOf } from './harness/ratio-check.ts'
import type { Report } from './harness/report.ts'
import { chosenStages, runReport } from './harness/run-report.ts'
import { STAGES } from './stages.ts'

const RECORDED = new URL('../recorded-ratios.json', import.meta.url)

const USAGE = `usage: npm run bench:check -- [--stages rules,feed] [--rounds 5] [--size 1] [--from REPORT.json] [--record]

stages  ${STAGES.map(({ name }) => name).join(', ')}
size    of the work of a whole run. The warm-up shrinks with it, and what is not warm has other ratios: record and check at the same
from    a report of npm run bench, instead of a run
record  writes the ratios down, to hold later ones against`

const { stages, rounds, size, from, record } = commandLine(USAGE, () => {
  const { values } = parseArgs({
    options: {
      stages: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '1' },
      from: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  })
  return {
    stages: chosenStages(STAGES, values.stages),
    rounds: wholeNumber('rounds', values.rounds),
    size: positive('size', values.size),
    from: values.from,
    record: values.record,
  }
})

const recorded = existsSync(RECORDED) ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as RecordedRatios) : undefined
if (recorded === undefined && !record) {
  throw new Error('no ratios are recorded yet: npm run bench:check -- --record does it')
}
const report: Report =
  from === undefined ? await runReport(stages, { rounds, size }) : JSON.parse(readFileSync(from, 'utf8'))
if (recorded !== undefined) {
  if (recorded.size !== report.size) console.log(`recorded at size ${recorded.size}, now at ${report.size}`)
  const checked = checkRatios(recorded, report)
  console.log(checkText(checked))
  if (!record && checked.some(({ verdict }) => verdict === 'fell')) process.exitCode = 1
}
if (record) {
  writeFileSync(RECORDED, `${JSON.stringify(withStagesOf(recorded, report), undefined, 2)}\n`)
  console.log(`recorded in ${RECORDED.pathname}`)
}
