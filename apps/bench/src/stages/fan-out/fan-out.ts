/**
 * `npm run bench:fan-out`: the stage `fan-out` at other loads, each combination of them. `--json FILE` keeps everything, `--profile DIR` leaves
 * a profile of the edge's CPU for each load.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commandLine, positive, wholeNumber, wholeNumbers } from '../../harness/command-line.ts'
import { textOf } from '../../harness/report.ts'
import { runReport } from '../../harness/run-report.ts'
import { fanOutStage, type Load } from './fan-out-stage.ts'

const USAGE = `usage: npm run bench:fan-out -- [--streams 100,1000] [--streams-per-connection 20,1] [--rates 2000,10000,40000] [--symbols 50]
                             [--rounds 3] [--seconds 4] [--json FILE] [--profile DIR]

rates  trades a second over all symbols`

const { loads, rounds, seconds, json, profileDir } = commandLine(USAGE, () => {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '100,1000' },
      'streams-per-connection': { type: 'string', default: '20,1' },
      rates: { type: 'string', default: '2000,10000,40000' },
      symbols: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      json: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const symbols = wholeNumber('symbols', values.symbols)
  const allOf = (name: 'streams' | 'streams-per-connection' | 'rates') => wholeNumbers(name, values[name])
  return {
    loads: allOf('streams-per-connection').flatMap(streamsPerConnection =>
      allOf('streams').flatMap(streams =>
        allOf('rates').map((tradesPerSecond): Load => ({ streams, streamsPerConnection, symbols, tradesPerSecond })),
      ),
    ),
    rounds: wholeNumber('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    json: values.json,
    profileDir: values.profile,
  }
})

const stages = loads.map(load => {
  const name = `fan-out ${load.streams}, ${load.streamsPerConnection} a connection, ${load.tradesPerSecond} trades/s`
  return fanOutStage({ name, load, seconds, profileDir })
})
const report = await runReport(stages, { rounds, size: 1 })
console.log(textOf(report))
if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
