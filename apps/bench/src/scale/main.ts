/**
 * `npm run bench:scale`: the whole service under ever more symbols, trades, clients and replicas. Writes what was measured to
 * docs/bench/NAME-results.json and its curves beside it, which `npm run bench:plots` draws. `--only symbols,trades` runs some studies.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commandLine } from '../harness/command-line.ts'
import { machineOf } from '../harness/machine.ts'
import { STUDIES } from './studies.ts'

const OUT = fileURLToPath(new URL('../../../../docs/bench', import.meta.url))

const NAMES = STUDIES.map(({ name }) => name)
const USAGE = `usage: npm run bench:scale -- [--only ${NAMES.join()}]`

const wanted = commandLine(USAGE, () => {
  const { values } = parseArgs({ options: { only: { type: 'string', default: NAMES.join() } } })
  const names = values.only.split(',')
  const unknown = names.find(name => !NAMES.includes(name))
  if (unknown !== undefined) throw new Error(`there is no study ${unknown}; there are ${NAMES.join(', ')}`)
  return names
})
for (const { name, question, run } of STUDIES.filter(study => wanted.includes(study.name))) {
  process.stderr.write(`${name}: ${question}\n`)
  const machine = machineOf()
  const { results, curves } = await run(line => process.stderr.write(`${line}\n`))
  const how = `npm run bench:scale -- --only ${name}`
  write(`${name}-results`, { question, machine, how, results })
  for (const [file, curve] of Object.entries(curves)) write(file, { ...curve, machine, how })
}

function write(name: string, data: unknown): void {
  writeFileSync(join(OUT, `${name}.json`), `${JSON.stringify(data, undefined, 2)}\n`)
}
