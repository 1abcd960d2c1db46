/**
 * `npm run bench`: every stage against its floor and against what one would pick instead, in one run. Prints tables; `--json FILE` keeps
 * everything. `--stages rules,feed` runs some of them, `--rounds` and `--size` are for a quick look.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machineOf } from './harness/machine.ts'
import { textOf } from './harness/report.ts'
import type { StageResult } from './harness/result.ts'
import { runStage } from './harness/run-stage.ts'
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
const wanted = values.stages.split(',')
const unknown = wanted.filter(name => !STAGES.some(stage => stage.name === name))
if (unknown.length > 0) {
  throw new Error(`there is no stage ${unknown.join(', ')}; there are ${STAGES.map(({ name }) => name).join(', ')}`)
}
const rounds = Number(values.rounds)
const size = Number(values.size)
const head = { machine: machineOf(), begun: new Date().toISOString(), rounds, size }
const stages: StageResult[] = []
for (const stage of STAGES.filter(({ name }) => wanted.includes(name))) {
  stages.push(await runStage(stage, { rounds, size, onRun: line => process.stderr.write(`${line}\n`) }))
}
const report = { ...head, stages }
console.log(textOf(report))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
