import { setTimeout as sleep } from 'node:timers/promises'
import { openPostgres } from '@chart/postgres'
import { closeRedis, openRedis, readSymbols } from '@chart/redis'
import { ClientPulse } from './client-pulse.ts'
import { disturb } from './disturb.ts'
import { tradesEmitted } from './exchange-status.ts'
import { Fleet } from './fleet.ts'
import type { InjectedFault } from './nemesis.ts'
import { Observer } from './observer.ts'
import type { ChaosOptions } from './options.ts'
import type { OutageSample } from './outage.ts'
import { ProgressSampler } from './progress-sampler.ts'
import { settle, untilLive } from './settle.ts'
import { StorePulse } from './store-pulse.ts'
import { verify } from './verify.ts'
import type { Pause } from './waiting.ts'

/** A log begins within the minute, and the exchange's weight may have to be waited for. */
const LIVE_WITHIN_MS = 180_000
/** Undisturbed before the first fault, so that something is stored of every symbol. */
const CALM_BEFORE_MS = 5_000
/** Bars of this long after the last fault are compared as well. */
const CALM_AFTER_MS = 10_000
/** What faults left behind is done within this time after them: a sweep of the outbox comes every 15 s, and takes two. */
const SETTLED_WITHIN_MS = 180_000

export interface ChaosResult {
  readonly options: ChaosOptions
  readonly faults: readonly InjectedFault[]
  readonly pauses: readonly Pause[]
  readonly outage: readonly OutageSample[]
  /** From the end of the faults until everything was stored and told, s. */
  readonly settledSeconds: number
  readonly tradesPerSecond: number
  readonly compared: number
  readonly beganBefore: number
  readonly observers: readonly { calls: number; told: number; fetched: number; endings: Record<string, number> }[]
  /** Processes that could not start because a server was away, and were started again. */
  readonly failedStarts: number
  /** What is wrong; empty after a good run. */
  readonly failures: readonly string[]
}

/** Runs the service under load, lets the scenario happen to it, and compares everything with the oracle. */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<ChaosResult> {
  const { symbols, intervals } = options
  const startTime = Date.now()
  await using fleet = await Fleet.start(options)
  await untilLive(fleet.edges, symbols, LIVE_WITHIN_MS)
  const tags = new Map([...(await readTags(fleet.redis.url))].filter(([symbol]) => symbols.includes(symbol)))
  const allTags = [...new Set(tags.values())]
  say(
    `${fleet.members.length} processes serve ${symbols.length} symbols in ${allTags.length} partitions; every feed is live`,
  )

  await using stack = new AsyncDisposableStack()
  const { observers, pauses } = await watch(fleet, tags, options, stack)
  const load = await loadSince(fleet.exchangeUrl)
  await sleep(CALM_BEFORE_MS)
  const { faults, outage, unfinished } = await disturb(options, fleet, allTags, say)

  const disturbedTime = performance.now()
  say('no more faults; waiting until everything is stored and told')
  await sleep(CALM_AFTER_MS)
  const untilTime = Math.floor(Date.now() / 1_000) * 1_000
  const lacking = await settle({ fleet, observers, tags: allTags, symbols, untilTime, withinMs: SETTLED_WITHIN_MS })
  const settledSeconds = (performance.now() - disturbedTime) / 1_000
  const tradesPerSecond = await load()
  await stack.disposeAsync()

  say('stopping the service and comparing every bar with the oracle')
  const badEnds = await fleet.stopService()
  await using postgres = await openPostgres({ url: fleet.postgres.url, applicationName: 'chaos', poolMax: 2 })
  const { exchangeUrl } = fleet
  const verdict = await verify({ postgres, exchangeUrl, symbols, intervals, observers, startTime, untilTime })
  return {
    options,
    faults,
    pauses,
    outage,
    settledSeconds,
    tradesPerSecond,
    compared: verdict.compared,
    beganBefore: verdict.beganBefore,
    observers: observers.map(({ calls, endings, bars: { told, fetched } }) => ({
      calls,
      told,
      fetched,
      endings: Object.fromEntries(endings),
    })),
    failedStarts: fleet.failedStarts,
    failures: [...unfinished, ...lacking, ...badEnds, ...verdict.failures],
  }
}

/** Opens everything that looks on; `stack` closes it. */
async function watch(
  { redis, postgres, exchangeUrl, edges }: Fleet,
  tags: ReadonlyMap<string, string>,
  { symbols, intervals }: ChaosOptions,
  stack: AsyncDisposableStack,
): Promise<{ observers: Observer[]; pauses: readonly Pause[] }> {
  // Each begins with another edge.
  const observers = edges.map((_, index) =>
    stack.use(new Observer({ edges: [...edges.slice(index), ...edges.slice(0, index)], symbols, intervals })),
  )
  const { pauses } = stack.use(await ProgressSampler.open({ redisUrl: redis.url, exchangeUrl, tags }))
  // The first symbol is the busiest.
  const watched = { symbol: symbols[0]!, exchangeUrl, pauses }
  for (const [index, address] of edges.entries()) {
    stack.use(new ClientPulse({ ...watched, edge: { name: `edge-${index + 1}`, address } }))
  }
  stack.use(new StorePulse({ ...watched, databaseUrl: postgres.url, told: observers[0]!.bars }))
  return { observers, pauses }
}

async function readTags(redisUrl: string): Promise<Map<string, string>> {
  const redis = await openRedis(redisUrl, 'chaos')
  try {
    return await readSymbols(redis)
  } finally {
    closeRedis(redis)
  }
}

/** Gives a function that tells how many trades a second the exchange has made since. */
async function loadSince(exchangeUrl: string): Promise<() => Promise<number>> {
  const before = await tradesEmitted(exchangeUrl)
  const startTime = performance.now()
  return async () =>
    Math.round(((await tradesEmitted(exchangeUrl)) - before) / ((performance.now() - startTime) / 1_000))
}
