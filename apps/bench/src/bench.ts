/**
 * `npm run bench`: every stage against its floor and against what one would pick instead, in one run. Prints tables; `--json FILE` keeps
 * everything. `--stages rules,feed` runs some of them, `--rounds` and `--size` are for a quick look.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Report, textOf } from './harness/report.ts'
import { chosenStages, runReport } from './harness/run-report.ts'
import { STAGES } from './stages.ts'

const { values } = parseArgs({
  options: {
    stages: { type: 'string', default: STAGES.map(({ name }) => name).join() },
    rounds: { type: 'string', default: '5' },
    /** Of the work of a whole run: 0.1 is a tenth. */
    size: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const { json } = values
let report: Report | undefined
const onStage = (soFar: Report) => {
  report = soFar
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(soFar, undefined, 2)}\n`)
}
try {
  await runReport(chosenStages(STAGES, values.stages), {
    rounds: Number(values.rounds),
    size: Number(values.size),
    onStage,
  })
} finally {
  if (report !== undefined) console.log(textOf(report))
}
