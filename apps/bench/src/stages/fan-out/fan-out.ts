/**
 * `npm run bench:fan-out`: the stage `fan-out` at other loads, each combination of them. `--json FILE` keeps everything, `--profile DIR` leaves
 * a profile of the edge's CPU for each load.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machineOf } from '../../harness/machine.ts'
import { textOf } from '../../harness/report.ts'
import type { StageResult } from '../../harness/result.ts'
import { runStage } from '../../harness/run-stage.ts'
import { fanOutStage, type Load } from './fan-out-stage.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '100,1000' },
    'streams-per-connection': { type: 'string', default: '20,1' },
    /** Trades a second over all symbols. */
    rates: { type: 'string', default: '2000,10000,40000' },
    symbols: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
})

const numbersOf = (text: string): number[] => text.split(',').map(Number)

const loads: Load[] = numbersOf(values['streams-per-connection']).flatMap(streamsPerConnection =>
  numbersOf(values.streams).flatMap(streams =>
    numbersOf(values.rates).map(tradesPerSecond => ({
      streams,
      streamsPerConnection,
      symbols: Number(values.symbols),
      tradesPerSecond,
    })),
  ),
)

const rounds = Number(values.rounds)
const head = { machine: machineOf(), begun: new Date().toISOString(), rounds, size: 1 }
const stages: StageResult[] = []
for (const load of loads) {
  const name = `fan-out ${load.streams}, ${load.streamsPerConnection} a connection, ${load.tradesPerSecond} trades/s`
  const stage = fanOutStage({ name, load, seconds: Number(values.seconds), profileDir: values.profile })
  stages.push(await runStage(stage, { rounds, size: 1, onRun: line => process.stderr.write(`${line}\n`) }))
}
const report = { ...head, stages }
console.log(textOf(report))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
