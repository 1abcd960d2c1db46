/**
 * `npm run bench:check`: runs the stages and holds their ratios against the recorded ones; exit 1 when one fell by more than it may. By
 * hand and before releases, since a machine that does something else at the time measures that as well. `--stages` and `--rounds` as at
 * `npm run bench`; `--from FILE` takes the JSON of a report of it instead of a run; `--record` writes the ratios down.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkRatios, checkText, type RecordedRatios, withStagesOf } from './harness/ratio-check.ts'
import type { Report } from './harness/report.ts'
import { chosenStages, runReport } from './harness/run-report.ts'
import { STAGES } from './stages.ts'

const RECORDED = new URL('../recorded-ratios.json', import.meta.url)

const { values } = parseArgs({
  options: {
    stages: { type: 'string', default: STAGES.map(({ name }) => name).join() },
    rounds: { type: 'string', default: '5' },
    /** Of the work of a whole run. The warm-up shrinks with it, and what is not warm has other ratios: record and check at the same. */
    size: { type: 'string', default: '1' },
    from: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
})

const recorded = existsSync(RECORDED) ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as RecordedRatios) : undefined
if (recorded === undefined && !values.record) {
  throw new Error('no ratios are recorded yet: npm run bench:check -- --record does it')
}
const report: Report =
  values.from === undefined
    ? await runReport(chosenStages(STAGES, values.stages), { rounds: Number(values.rounds), size: Number(values.size) })
    : JSON.parse(readFileSync(values.from, 'utf8'))
if (recorded !== undefined) {
  if (recorded.size !== report.size) console.log(`recorded at size ${recorded.size}, now at ${report.size}`)
  const checked = checkRatios(recorded, report)
  console.log(checkText(checked))
  if (!values.record && checked.some(({ verdict }) => verdict === 'fell')) process.exitCode = 1
}
if (values.record) {
  writeFileSync(RECORDED, `${JSON.stringify(withStagesOf(recorded, report), undefined, 2)}\n`)
  console.log(`recorded in ${RECORDED.pathname}`)
}
