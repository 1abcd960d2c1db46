/**
 * `npm run bench:fan-out`: updates delivered a second and their latency, of the edge and of a naive server of the same API in the same run,
 * from the same messages of the same Redis. Each measurement has new processes; the two servers take turns, and of several rounds the median
 * counts. `--json FILE` keeps everything.
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { startPostgres, startRedis } from '@chart/servers'
import { medianOf, tableOf } from './fan-out-table.ts'
import { type Load, type Result, type ServerKind, Stage } from './measurement.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '100,1000' },
    'streams-per-connection': { type: 'string', default: '20,1' },
    /** Trades a second over all symbols. */
    rates: { type: 'string', default: '2000,10000,40000' },
    symbols: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    /** Both servers are warm then: Node has compiled what they do. */
    'warm-up': { type: 'string', default: '2' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
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

const redis = await startRedis()
const postgres = await startPostgres()
const servers = { redisUrl: redis.url, databaseUrl: postgres.url }
const rounds: { load: Load; server: ServerKind; result: Result }[] = []
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const load of loads) {
      const order: ServerKind[] = round % 2 === 0 ? ['edge', 'naive'] : ['naive', 'edge']
      for (const server of order) {
        const result = await measure(server, load)
        rounds.push({ load, server, result })
        process.stderr.write(`round ${round + 1} ${server} ${JSON.stringify(load)} ${Math.round(rateOf(result))}/s\n`)
      }
    }
  }
} finally {
  await postgres.close()
  await redis.close()
}

const rows = loads.map(load => {
  const of = (server: ServerKind) =>
    medianOf(rounds.filter(one => one.load === load && one.server === server).map(({ result }) => result))
  return { load, edge: of('edge'), naive: of('naive') }
})
const machine = {
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
  loadAverage: loadavg().map(load => load.toFixed(1)),
}
console.log(`${JSON.stringify(machine)}\n\n${tableOf(rows)}`)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, rows, rounds }, undefined, 2)}\n`)

async function measure(server: ServerKind, load: Load): Promise<Result> {
  await using stage = await Stage.open(server, servers, load.symbols)
  await stage.begin(load, Number(values['warm-up']))
  return await stage.measure(Number(values.seconds))
}

function rateOf({ updates, seconds }: Result): number {
  return updates / seconds
}
