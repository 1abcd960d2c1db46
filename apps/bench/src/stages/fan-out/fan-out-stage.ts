import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchProcess } from '../../harness/bench-process.ts'
import type { Comparison, Figure, OpenStage, Sample, Stage, Variant } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import type { Heard } from './client-process.ts'
import type { ServerKind } from './measured-server.ts'
import { type Result, ServedMarket } from './served-market.ts'

export interface Load {
  readonly streams: number
  readonly streamsPerConnection: number
  /** Each stream follows one of them. */
  readonly symbols: number
  /** Over all symbols. */
  readonly tradesPerSecond: number
}

export interface FanOutOptions {
  readonly name: string
  readonly load: Load
  /** Of one run at size 1. */
  readonly seconds: number
  /** What ours is to cost at most, as a part of the naive server's CPU for an update: 4.5 is a 4.5th. */
  readonly cpuAtLeast?: number
  readonly profileDir?: string | undefined
}

const EDGE = 'edge'
const NAIVE = 'grpc-js, an object for each stream and update'
const FLOOR = 'http2, a write a turn'
const FLOOR_EACH = 'http2, a write for each update'

const VARIANTS: readonly (Variant & { readonly kind: ServerKind })[] = [
  { name: EDGE, role: 'ours', kind: 'edge' },
  { name: FLOOR, role: 'floor', kind: 'http2-turn' },
  { name: FLOOR_EACH, role: 'floor', kind: 'http2-each' },
  { name: NAIVE, role: 'instead', kind: 'naive' },
]

const FIGURES: readonly Figure[] = [
  { name: 'perSecond', unit: 'updates/s', better: 'more' },
  { name: 'cpuUs', unit: 'µs CPU an update', better: 'less' },
  { name: 'p50Ms', unit: 'p50 ms', better: 'less' },
  { name: 'p99Ms', unit: 'p99 ms', better: 'less' },
  { name: 'updatesPerMessage', unit: 'updates a message', better: 'more' },
  { name: 'bytes', unit: 'bytes an update', better: 'less' },
  { name: 'mergedShare', unit: '% merged', better: 'less' },
  { name: 'rssMb', unit: 'MB RSS', better: 'less' },
  { name: 'tradesPerSecond', unit: 'trades/s made', better: 'more' },
]

/** Before what is measured, in each run; no longer than that takes. */
const WARM_UP_MAX_S = 1
/** At open every server has to tell every trade of so long, at this rate: slow enough for each of them. */
const CHECK_MS = 200
const CHECK_RATE = 500
const CHECK_MAX_MS = 60_000

/** Updates to `streams` streams, each of one symbol's every trade: of a market that is the same, and elsewhere, for each server. */
export function fanOutStage({ name, load, seconds, cpuAtLeast, profileDir }: FanOutOptions): Stage {
  const { streams, streamsPerConnection, symbols, tradesPerSecond } = load
  const apart = streamsPerConnection === 1 ? 'each on its own connection' : `${streamsPerConnection} a connection`
  const comparisons: Comparison[] = [
    { variant: EDGE, against: NAIVE, figure: 'cpuUs', ...(cpuAtLeast !== undefined && { atLeast: cpuAtLeast }) },
    { variant: EDGE, against: NAIVE, figure: 'perSecond' },
    { variant: EDGE, against: FLOOR, figure: 'cpuUs' },
    { variant: EDGE, against: FLOOR_EACH, figure: 'cpuUs' },
  ]
  return {
    name,
    job: `Tells ${streams} streams, ${apart}, every trade of ${tradesPerSecond}/s over ${symbols} symbols.`,
    figures: FIGURES,
    variants: VARIANTS.map(({ name, role }) => ({ name, role })),
    comparisons,
    async open(size): Promise<OpenStage> {
      await using stack = new AsyncDisposableStack()
      const served = new Map<string, ServedMarket>()
      const openings = VARIANTS.map(async ({ name, kind }) => {
        const market = stack.use(await ServedMarket.open(kind, { symbols, profileDir }))
        served.set(name, market)
        await checkTold(market, load)
      })
      const failed = (await Promise.allSettled(openings)).find(({ status }) => status === 'rejected')
      if (failed !== undefined) await Promise.all(openings)
      const moved = stack.move()
      return {
        run: variant => run(served.get(variant)!, load, seconds * size),
        [Symbol.asyncDispose]: () => moved.disposeAsync(),
      }
    },
  }
}

/** New clients for each run, so that what a server still owes to those of the run before goes with them. */
async function run(market: ServedMarket, load: Load, seconds: number): Promise<Sample> {
  await using clients = await listen(market, load)
  await market.trade(load.tradesPerSecond)
  await sleep(Math.min(WARM_UP_MAX_S, seconds) * 1_000)
  const result = await market.measure(clients, seconds)
  await market.stop()
  return sampleOf(result)
}

function listen(market: ServedMarket, { streams, streamsPerConnection }: Load): Promise<BenchProcess> {
  return market.listen({ streams, streamsPerConnection, symbolsPerStream: 1, reads: true })
}

function sampleOf(result: Result): Sample {
  const { updates, merged, messages, bytes, seconds, trades, serverCpuUs, serverRssBytes, p50Ms, p99Ms } = result
  return {
    perSecond: updates / seconds,
    cpuUs: serverCpuUs / updates,
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
    updatesPerMessage: updates / messages,
    bytes: bytes / updates,
    mergedShare: (100 * merged) / (updates + merged),
    rssMb: serverRssBytes / 1024 ** 2,
    tradesPerSecond: trades / seconds,
  }
}

/**
 * Each stream is told every trade of its symbol once.
 * @throws Error when one is told more or less
 */
async function checkTold(market: ServedMarket, load: Load): Promise<void> {
  // As many streams for each symbol, so that it does not matter which one a trade is of.
  const each = { ...load, streams: load.symbols, streamsPerConnection: 1 }
  await using clients = await listen(market, each)
  const before = await market.made()
  await market.trade(CHECK_RATE)
  await sleep(CHECK_MS)
  const trades = (await market.stop()) - before
  const told = async () => (await clients.ask<Heard>('heard')).told
  await untilTrue(async () => (await told()) >= trades, `${trades} trades are told`, CHECK_MAX_MS)
  if ((await told()) > trades) throw new Error(`${await told()} updates were told of ${trades} trades`)
}
