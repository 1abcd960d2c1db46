import type { Sample, Stage } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import { BenchService } from '../../service/bench-service.ts'
import { type Baseline, drain, measureLoad, settle } from '../../service/measure-load.ts'

const SYMBOLS = 10
const RATES = [1_000, 5_000, 20_000, 50_000]
const WARM_UP_MS = 2_000
const MEASURED_SECONDS = 5
const START_MAX_MS = 30_000
/** At the lowest rate every symbol has traded by then. */
const JOINING_RATE = 1_000

const nameOf = (rate: number) => `${rate.toLocaleString('en-US')} trades/s`

/** One service for all rounds; ten clients, each with every trade of one symbol. */
export const wholeWayStage: Stage = {
  name: 'whole-way',
  job: 'from the trade at the socket to the message at a gRPC client, all apps as in production',
  figures: [
    { name: 'p50Ms', unit: 'p50 ms', better: 'less' },
    { name: 'p99Ms', unit: 'p99 ms', better: 'less' },
    { name: 'perSecond', unit: 'trades/s made', better: 'more' },
    { name: 'drainMs', unit: 'ms to drain', better: 'less' },
    { name: 'missing', unit: 'trades missing', better: 'less' },
    { name: 'merged', unit: '% of updates merged', better: 'less' },
    { name: 'ingestorUs', unit: 'µs CPU a trade: ingestor', better: 'less' },
    { name: 'redisUs', unit: 'Redis', better: 'less' },
    { name: 'aggregatorUs', unit: 'aggregator', better: 'less' },
    { name: 'edgeUs', unit: 'edge', better: 'less' },
  ],
  variants: RATES.map(rate => ({ name: nameOf(rate), role: 'ours' })),
  comparisons: [
    // Six times the latency of a quiet market, at fifty times its trades.
    { variant: nameOf(50_000), against: nameOf(1_000), figure: 'p50Ms', atLeast: 1 / 6 },
    { variant: nameOf(20_000), against: nameOf(1_000), figure: 'p50Ms' },
  ],
  async open(size) {
    const service = await BenchService.open({ symbols: SYMBOLS })
    await service.openStreams({ streams: SYMBOLS })
    await service.trade(JOINING_RATE)
    await untilTrue(async () => (await service.heard()).heard === SYMBOLS, 'every client hears', START_MAX_MS)
    const from = await settle(service)
    return {
      run: variant =>
        runRate(service, from, RATES.find(rate => nameOf(rate) === variant)!, Math.max(1, MEASURED_SECONDS * size)),
      [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
    }
  },
}

async function runRate(service: BenchService, from: Baseline, rate: number, seconds: number): Promise<Sample> {
  await service.trade(rate)
  await new Promise(resolve => setTimeout(resolve, WARM_UP_MS))
  const result = await measureLoad(service, seconds)
  const { drainMs, missing } = await drain(service, from)
  const usOf = (name: string) => ((result.cpuSeconds[name] ?? 0) * 1e6) / result.trades
  return {
    p50Ms: result.p50Ms ?? Number.NaN,
    p99Ms: result.p99Ms ?? Number.NaN,
    perSecond: result.trades / result.seconds,
    drainMs,
    missing,
    merged: (100 * result.merged) / (result.updates + result.merged),
    ingestorUs: usOf('ingestor'),
    redisUs: usOf('redis'),
    aggregatorUs: usOf('aggregator'),
    edgeUs: usOf('edge'),
  }
}
