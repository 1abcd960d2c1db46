/**
 * `npm run bench`: every stage against its floor and against what one would pick instead, in one run. Prints tables; `--json FILE` keeps
 * everything. `--stages rules,feed` runs some of them, `--rounds` and `--size` are for a quick look.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commandLine, positive, wholeNumber } from './harness/command-line.ts'
import { type Report, textOf } from './harness/report.ts'
import { chosenStages, runReport } from './harness/run-report.ts'
import { STAGES } from './stages.ts'

const USAGE = `usage: npm run bench -- [--stages rules,feed] [--rounds 5] [--size 1] [--json FILE]

stages  ${STAGES.map(({ name }) => name).join(', ')}
rounds  of which the median is told
size    of the work of a whole run: 0.1 is a tenth`

const { stages, rounds, size, json } = commandLine(USAGE, () => {
  const { values } = parseArgs({
    options: {
      stages: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '1' },
      json: { type: 'string' },
    },
  })
  return {
    stages: chosenStages(STAGES, values.stages),
    rounds: wholeNumber('rounds', values.rounds),
    size: positive('size', values.size),
    json: values.json,
  }
})
let report: Report | undefined
const onStage = (soFar: Report) => {
  report = soFar
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(soFar, undefined, 2)}\n`)
}
try {
  await runReport(stages, { rounds, size, onStage })
} finally {
  if (report !== undefined) console.log(textOf(report))
}
