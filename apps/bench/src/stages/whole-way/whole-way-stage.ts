import type { Comparison, OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import { BenchService } from '../../service/bench-service.ts'
import type { LoadedService } from '../../service/loaded-service.ts'
import { type Baseline, drain, measureLoad, settle } from '../../service/measure-load.ts'
import { PER_TRADE } from '../../service/per-trade.ts'
import { RELAY } from '../../service/relay.ts'
import { StandInService } from '../../service/stand-in-service.ts'

/** As many as there are clients. */
export const SYMBOLS = 10
const WARM_UP_MS = 2_000
const MEASURED_SECONDS = 5
const START_MAX_MS = 30_000
/** At the lowest rate every symbol has traded by then. */
const JOINING_RATE = 1_000

/** A service under a load, by trades a second over all symbols. */
export interface Way {
  readonly role: Variant['role']
  readonly rate: number
}

export interface WholeWayOptions {
  readonly name: string
  readonly job: string
  /** How many symbols each client follows, with every trade of them. */
  readonly symbolsPerClient: number
  readonly ways: readonly Way[]
  readonly comparisons: readonly Comparison[]
}

const MEANS: Readonly<Record<Variant['role'], string>> = {
  ours: '',
  floor: ', the hops alone',
  instead: ', all for each trade',
}
export const nameOfWay = ({ role, rate }: Way) => `${rate.toLocaleString('en-US')} trades/s${MEANS[role]}`

const OPENERS: Readonly<Record<Variant['role'], (symbolsPerClient: number) => Promise<LoadedService>>> = {
  async ours(symbolsPerStream) {
    const service = await BenchService.open({ symbols: SYMBOLS })
    await service.openStreams({ streams: SYMBOLS, symbolsPerStream })
    return service
  },
  floor: symbolsPerClient => StandInService.open(SYMBOLS, symbolsPerClient, RELAY),
  instead: symbolsPerClient => StandInService.open(SYMBOLS, symbolsPerClient, PER_TRADE),
}

/** One of each service for all rounds, with ten clients each. */
export function wholeWayStage({ name, job, symbolsPerClient, ways, comparisons }: WholeWayOptions): Stage {
  return {
    name,
    job,
    figures: [
      { name: 'p50Ms', unit: 'p50 ms', better: 'less' },
      { name: 'p99Ms', unit: 'p99 ms', better: 'less' },
      { name: 'perSecond', unit: 'trades/s made', better: 'more' },
      { name: 'drainMs', unit: 'ms to drain', better: 'less' },
      { name: 'missing', unit: 'trades missing', better: 'less' },
      { name: 'merged', unit: '% of updates merged', better: 'less' },
      { name: 'cpuUs', unit: 'µs CPU a trade: all', better: 'less' },
      { name: 'ingestorUs', unit: 'ingestor', better: 'less' },
      { name: 'redisUs', unit: 'Redis', better: 'less' },
      { name: 'aggregatorUs', unit: 'aggregator', better: 'less' },
      { name: 'edgeUs', unit: 'edge', better: 'less' },
    ],
    variants: ways.map(way => ({ name: nameOfWay(way), role: way.role })),
    comparisons,
    async open(size): Promise<OpenStage> {
      await using stack = new AsyncDisposableStack()
      const services = new Map<Variant['role'], Begun>()
      for (const role of new Set(ways.map(way => way.role))) {
        services.set(role, await begun(stack.use(await OPENERS[role](symbolsPerClient)), symbolsPerClient))
      }
      const seconds = Math.max(1, MEASURED_SECONDS * size)
      const moved = stack.move()
      return {
        run(variant) {
          const { role, rate } = ways.find(way => nameOfWay(way) === variant)!
          return runRate(services.get(role)!, rate, seconds)
        },
        [Symbol.asyncDispose]: () => moved.disposeAsync(),
      }
    },
  }
}

interface Begun {
  readonly service: LoadedService
  readonly from: Baseline
}

/** Every client is told of trades, and nothing is under way. */
async function begun(service: LoadedService, symbolsPerClient: number): Promise<Begun> {
  await service.trade(JOINING_RATE)
  const allHear = async () => (await service.clients.heard()).heard === SYMBOLS
  await untilTrue(allHear, 'every client hears', START_MAX_MS)
  // There are as many clients as symbols, so a trade has as many of the one as a client of the other.
  return { service, from: await settle(service, symbolsPerClient) }
}

async function runRate({ service, from }: Begun, rate: number, seconds: number): Promise<Sample> {
  await service.trade(rate)
  await new Promise(resolve => setTimeout(resolve, WARM_UP_MS))
  const result = await measureLoad(service, seconds)
  const { drainMs, missing } = await drain(service, from)
  const usOf = (name: string) => ((result.cpuSeconds[name] ?? 0) * 1e6) / result.trades
  const parts = {
    ingestorUs: usOf('ingestor'),
    redisUs: usOf('redis'),
    aggregatorUs: usOf('aggregator'),
    edgeUs: usOf('edge'),
  }
  return {
    p50Ms: result.p50Ms ?? Number.NaN,
    p99Ms: result.p99Ms ?? Number.NaN,
    perSecond: result.trades / result.seconds,
    drainMs,
    missing,
    merged: (100 * result.merged) / (result.updates + result.merged),
    cpuUs: Object.values(parts).reduce((sum, us) => sum + us),
    ...parts,
  }
}
