/**
 * `npm run bench:capacity`: how far the way of a trade goes when every process has a core of its own: a queueing model (pipeline.ts) with
 * the costs of docs/bench/report.json. Prints a table: latency, and which core is full.
 */
import { readFileSync } from 'node:fs'
import type { Report } from '../harness/report.ts'
import { numberText } from '../harness/report.ts'
import { costsOf } from './measured-costs.ts'
import { type Pipeline, simulatePipeline } from './pipeline.ts'

const REPORT = new URL('../../../../docs/bench/report.json', import.meta.url)
const SIMULATED_SECONDS = 6

const small = { partitions: 32, masters: 1, ingestors: 1, aggregators: 1 }
const PIPELINES: readonly Pipeline[] = [
  { ...small, symbols: 10, tradesPerSecond: 1_000 },
  { ...small, symbols: 10, tradesPerSecond: 50_000 },
  { ...small, symbols: 300, tradesPerSecond: 3_000 },
  { ...small, symbols: 300, tradesPerSecond: 20_000 },
  { ...small, symbols: 2_000, tradesPerSecond: 5_000 },
  { ...small, symbols: 2_000, tradesPerSecond: 20_000 },
  { ...small, symbols: 2_000, tradesPerSecond: 100_000 },
  { ...small, symbols: 2_000, tradesPerSecond: 20_000, aggregators: 2 },
  { ...small, symbols: 2_000, tradesPerSecond: 20_000, aggregators: 4, masters: 3, ingestors: 2 },
  { ...small, symbols: 2_000, tradesPerSecond: 100_000, aggregators: 4, masters: 3, ingestors: 2 },
  { ...small, symbols: 10_000, tradesPerSecond: 100_000, aggregators: 8, masters: 6, ingestors: 4, partitions: 96 },
]

const costs = costsOf(JSON.parse(readFileSync(REPORT, 'utf8')) as Report)
console.log(
  `Costs in µs of one core: ${JSON.stringify(costs, (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value))}\n`,
)
const head = [
  'symbols',
  'trades/s',
  'ingestors',
  'masters',
  'aggregators',
  'p50 ms',
  'p99 ms',
  'busy: ingestor',
  'Redis',
  'aggregator',
  'symbols a commit',
  'trades of each',
]
console.log([head, head.map(() => '---')].map(cells => `| ${cells.join(' | ')} |`).join('\n'))
for (const pipeline of PIPELINES) {
  const result = simulatePipeline(pipeline, costs, SIMULATED_SECONDS, seededRandom())
  const { symbols, tradesPerSecond, ingestors, masters, aggregators } = pipeline
  const { p50Ms, p99Ms, busy, symbolsPerCommit, tradesPerSymbol } = result
  const shares = [busy.ingestor, busy.redis, busy.aggregator].map(share => `${Math.round(share * 100)} %`)
  const figures = [p50Ms, p99Ms].map(numberText)
  const carried = [symbolsPerCommit, tradesPerSymbol].map(numberText)
  const cells = [symbols, tradesPerSecond, ingestors, masters, aggregators].map(value => value.toLocaleString('en-US'))
  console.log(`| ${[...cells, ...figures, ...shares, ...carried].join(' | ')} |`)
}

/** The same numbers in every run (mulberry32). */
function seededRandom(): () => number {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
