import type { Comparison, OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import { BenchService } from '../../service/bench-service.ts'
import type { LoadedService } from '../../service/loaded-service.ts'
import { type Baseline, drain, measureLoad, settle } from '../../service/measure-load.ts'
import { PER_TRADE } from '../../service/per-trade.ts'
import { RELAY } from '../../service/relay.ts'
import { StandInService } from '../../service/stand-in-service.ts'

const SYMBOLS = 10
const RATES = [1_000, 5_000, 20_000, 50_000]
/** Where the design that does everything for each trade still gets along, and where it does not. */
const PER_TRADE_RATES = [1_000, 10_000]
const WARM_UP_MS = 2_000
const MEASURED_SECONDS = 5
const START_MAX_MS = 30_000
/** At the lowest rate every symbol has traded by then. */
const JOINING_RATE = 1_000

type Role = Variant['role']
interface Way {
  readonly role: Role
  readonly rate: number
}

const MEANS: Readonly<Record<Role, string>> = { ours: '', floor: ', the hops alone', instead: ', all for each trade' }
const nameOf = ({ role, rate }: Way) => `${rate.toLocaleString('en-US')} trades/s${MEANS[role]}`

/** By rate, and ours first. */
const WAYS: readonly Way[] = [...new Set([...RATES, ...PER_TRADE_RATES])]
  .sort((a, b) => a - b)
  .flatMap(rate => [
    { role: 'ours', rate },
    ...(RATES.includes(rate) ? [{ role: 'floor', rate } as const] : []),
    ...(PER_TRADE_RATES.includes(rate) ? [{ role: 'instead', rate } as const] : []),
  ])

const against = (role: Role, rate: number): Comparison[] =>
  ['p50Ms', 'cpuUs'].map(figure => ({
    variant: nameOf({ role: 'ours', rate }),
    against: nameOf({ role, rate }),
    figure,
  }))

function ofQuietMarket(rate: number): Comparison {
  return { variant: nameOf({ role: 'ours', rate }), against: nameOf({ role: 'ours', rate: 1_000 }), figure: 'p50Ms' }
}

/** One of each service for all rounds; ten clients each, each with every trade of one symbol. */
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
    { name: 'cpuUs', unit: 'µs CPU a trade: all', better: 'less' },
    { name: 'ingestorUs', unit: 'ingestor', better: 'less' },
    { name: 'redisUs', unit: 'Redis', better: 'less' },
    { name: 'aggregatorUs', unit: 'aggregator', better: 'less' },
    { name: 'edgeUs', unit: 'edge', better: 'less' },
  ],
  variants: WAYS.map(way => ({ name: nameOf(way), role: way.role })),
  comparisons: [
    ...RATES.flatMap(rate => against('floor', rate)),
    ...PER_TRADE_RATES.flatMap(rate => against('instead', rate)),
    // Six times the latency of a quiet market, at fifty times its trades.
    { ...ofQuietMarket(50_000), atLeast: 1 / 6 },
    ofQuietMarket(20_000),
  ],
  async open(size): Promise<OpenStage> {
    await using stack = new AsyncDisposableStack()
    const ours = stack.use(await openOurs())
    const floor = stack.use(await StandInService.open(SYMBOLS, RELAY))
    const instead = stack.use(await StandInService.open(SYMBOLS, PER_TRADE))
    const services = { ours: await begun(ours), floor: await begun(floor), instead: await begun(instead) }
    const seconds = Math.max(1, MEASURED_SECONDS * size)
    const moved = stack.move()
    return {
      run(variant) {
        const { role, rate } = WAYS.find(way => nameOf(way) === variant)!
        return runRate(services[role], rate, seconds)
      },
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    }
  },
}

async function openOurs(): Promise<BenchService> {
  const service = await BenchService.open({ symbols: SYMBOLS })
  await service.openStreams({ streams: SYMBOLS })
  return service
}

interface Begun {
  readonly service: LoadedService
  readonly from: Baseline
}

/** Every client is told of trades, and nothing is under way. */
async function begun(service: LoadedService): Promise<Begun> {
  await service.trade(JOINING_RATE)
  const allHear = async () => (await service.clients.heard()).heard === SYMBOLS
  await untilTrue(allHear, 'every client hears', START_MAX_MS)
  return { service, from: await settle(service) }
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
