/**
 * `npm run bench:fan-out`: the stage `fan-out` at other loads, each combination of them. `--json FILE` keeps everything, `--profile DIR` leaves
 * a profile of the edge's CPU for each load.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { textOf } from '../../harness/report.ts'
import { runReport } from '../../harness/run-report.ts'
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

const stages = loads.map(load => {
  const name = `fan-out ${load.streams}, ${load.streamsPerConnection} a connection, ${load.tradesPerSecond} trades/s`
  return fanOutStage({ name, load, seconds: Number(values.seconds), profileDir: values.profile })
})
const report = await runReport(stages, { rounds: Number(values.rounds), size: 1 })
console.log(textOf(report))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
