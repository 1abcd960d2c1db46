import type { Curve, Series } from '../plots/curve.ts'
import { type BacklogResult, type BacklogRun, runBacklog } from './backlog-run.ts'
import { type LoadRun, type LoadRunResult, runLoad } from './load-run.ts'

/** A question of scale: what is run, and which curves answer it. */
export interface Study {
  readonly name: string
  readonly question: string
  run(onRun: (line: string) => void): Promise<StudyResult>
}

export interface StudyResult {
  readonly results: readonly (LoadRunResult | BacklogResult)[]
  readonly curves: Readonly<Record<string, CurveBody>>
}

export type CurveBody = Pick<Curve, 'title' | 'x' | 'y' | 'series'>

const KINDS = ['ingestor', 'redis', 'aggregator', 'edge', 'persister'] as const
const MEASURED_SECONDS = 20
const TEN_CLIENTS = { streams: 10 }

/** Cost and latency against the number of symbols, at the same trades a second. */
const symbolsStudy: Study = {
  name: 'symbols',
  question: '20,000 trades/s over ever more symbols, seven intervals each',
  async run(onRun) {
    const runs = [10, 100, 500, 2_000].map((symbols): LoadRun => ({ symbols, rate: 20_000, clients: TEN_CLIENTS }))
    const results = await loadsOf(runs, onRun)
    const x = { label: 'symbols', log: true }
    const at = ({ run }: LoadRunResult) => run.symbols
    return {
      results,
      curves: {
        'symbols-cpu': cpuCurve(
          'CPU of a trade hardly grows with the number of symbols: what waits rides together',
          x,
          at,
          results,
        ),
        'symbols-latency': latencyCurve('Latency at 20,000 trades/s against the number of symbols', x, at, results),
      },
    }
  },
}

/** Cost and latency against trades a second. */
const tradesStudy: Study = {
  name: 'trades',
  question: 'ever more trades a second, ten symbols',
  async run(onRun) {
    const runs = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000].map(
      (rate): LoadRun => ({ symbols: 10, rate, clients: TEN_CLIENTS }),
    )
    const results = await loadsOf(runs, onRun)
    const x = { label: 'trades/s', log: true }
    const at = ({ run }: LoadRunResult) => run.rate
    return {
      results,
      curves: {
        'trades-cpu': cpuCurve('A trade costs less the more there are: what waits rides together', x, at, results),
        'trades-latency': latencyCurve('Latency against trades a second, ten symbols', x, at, results),
      },
    }
  },
}

/** Cost and latency against streams of one edge. */
const clientsStudy: Study = {
  name: 'clients',
  question: 'ever more streams on one edge, 5,000 trades/s over 50 symbols',
  async run(onRun) {
    const runs = [10, 100, 300, 1_000].map(
      (streams): LoadRun => ({ symbols: 50, rate: 5_000, clients: { streams, streamsPerConnection: 20 } }),
    )
    const results = await loadsOf(runs, onRun)
    const x = { label: 'streams', log: true }
    const at = ({ run }: LoadRunResult) => run.clients.streams
    const edge = seriesOf('edge', results, at, ({ cpuSeconds, updates }) => (cpuSeconds.edge! * 1e6) / updates)
    return {
      results,
      curves: {
        'clients-cpu': {
          title: 'An update costs an edge less the more streams want it',
          x,
          y: { label: 'µs CPU an update delivered', log: true },
          series: [edge],
        },
        'clients-latency': latencyCurve('Latency against the streams of one edge, 5,000 trades/s', x, at, results),
      },
    }
  },
}

/** A backlog worked off by several aggregators, on one Redis and on a cluster. */
const replicasStudy: Study = {
  name: 'replicas',
  question: 'a backlog of 200 symbols worked off by 1, 2 and 4 aggregators, on one Redis and on three masters',
  async run(onRun) {
    const results: BacklogResult[] = []
    for (const masters of [0, 3]) {
      for (const aggregators of [1, 2, 4]) {
        const run: BacklogRun = { symbols: 200, aggregators, masters }
        results.push(await runBacklog(run))
        onRun(JSON.stringify(results.at(-1)))
      }
    }
    const on = (masters: number, name: string, of: (result: BacklogResult) => number): Series => ({
      name,
      points: results.filter(({ run }) => run.masters === masters).map(result => [result.run.aggregators, of(result)]),
    })
    const cpuOf = (kind: string) => (result: BacklogResult) =>
      Object.entries(result.cpuSecondsPerMillion).reduce(
        (sum, [name, cpu]) => sum + (name.startsWith(kind) ? cpu : 0),
        0,
      )
    const x = { label: 'aggregators (two cores for everything)' }
    return {
      results,
      curves: {
        'replicas-throughput': {
          title: 'A backlog of 200 symbols worked off',
          x,
          y: { label: 'trades/s' },
          series: [on(0, 'one Redis', one => one.tradesPerSecond), on(3, 'three masters', one => one.tradesPerSecond)],
        },
        'replicas-cpu': {
          title: 'A backlog of 200 symbols: CPU, the start of each aggregator (0.8 s) included',
          x,
          y: { label: 'CPU seconds for a million trades' },
          series: [
            on(0, 'aggregators, one Redis', cpuOf('aggregator')),
            on(0, 'Redis', cpuOf('redis')),
            on(3, 'aggregators, three masters', cpuOf('aggregator')),
            on(3, 'three masters', cpuOf('redis')),
          ],
        },
      },
    }
  },
}

/** The same load on more processes of every kind. */
const shapesStudy: Study = {
  name: 'shapes',
  question: '10,000 trades/s over 200 symbols by one of each app, two of each, and on a cluster',
  async run(onRun) {
    const load = { symbols: 200, rate: 10_000, clients: { streams: 200, streamsPerConnection: 20 } }
    const two = { ingestors: 2, aggregators: 2, edges: 2 }
    return { results: await loadsOf([load, { ...load, ...two }, { ...load, ...two, masters: 3 }], onRun), curves: {} }
  },
}

export const STUDIES: readonly Study[] = [symbolsStudy, tradesStudy, clientsStudy, replicasStudy, shapesStudy]

async function loadsOf(runs: readonly LoadRun[], onRun: (line: string) => void): Promise<LoadRunResult[]> {
  const results: LoadRunResult[] = []
  for (const run of runs) {
    results.push(await runLoad(run, MEASURED_SECONDS))
    onRun(JSON.stringify(results.at(-1)))
  }
  return results
}

function cpuCurve(
  title: string,
  x: CurveBody['x'],
  at: (result: LoadRunResult) => number,
  results: readonly LoadRunResult[],
): CurveBody {
  const series = KINDS.map(kind => seriesOf(kind, results, at, ({ cpuUs }) => cpuUs[kind] ?? 0))
  return { title, x, y: { label: 'µs CPU a trade', log: true }, series: series.map(aboveZero) }
}

function latencyCurve(
  title: string,
  x: CurveBody['x'],
  at: (result: LoadRunResult) => number,
  results: readonly LoadRunResult[],
): CurveBody {
  const p50 = seriesOf('p50', results, at, ({ p50Ms }) => p50Ms ?? 0)
  const p99 = seriesOf('p99', results, at, ({ p99Ms }) => p99Ms ?? 0)
  return { title, x, y: { label: 'ms from trade to client', log: true }, series: [p50, p99].map(aboveZero) }
}

function seriesOf<Result>(
  name: string,
  results: readonly Result[],
  x: (result: Result) => number,
  y: (result: Result) => number,
): Series {
  return { name, points: results.map(result => [x(result), y(result)]) }
}

/** Less than can be measured cannot be drawn on such an axis. */
function aboveZero({ name, points }: Series): Series {
  return { name, points: points.filter(([, y]) => y > 0) }
}
