import type { ProcessCost } from '../harness/bench-process.ts'
import { untilTrue } from '../harness/until-true.ts'
import type { LoadedService } from './loaded-service.ts'

/** What the whole service did under a steady load. */
export interface LoadResult {
  readonly seconds: number
  /** Trades that the exchange sent; below the rate where it was short of CPU. */
  readonly trades: number
  /** From the trade at the exchange to the message at a client; undefined where there were none. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly updates: number
  /** Updates that rode in a later one. */
  readonly merged: number
  /** Log entries that were in no bar yet, at the beginning and at the end. */
  readonly lagBefore: number
  readonly lagAfter: number
  /** CPU of each process in seconds, and its memory at the end. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  readonly rssMb: Readonly<Record<string, number>>
}

const MB = 1024 * 1024
/** Longer than any healthy service needs for what is under way. */
const DRAIN_MAX_MS = 60_000
/** Without an update for so long nothing is under way. */
const QUIET_MS = 1_000

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** What happens in `seconds`. */
export async function measureLoad(service: LoadedService, seconds: number): Promise<LoadResult> {
  const lagBefore = await service.lag()
  const made = await service.made()
  const before = service.costs()
  const since = performance.now()
  await service.clients.take()
  await sleep(seconds * 1_000)
  const received = await service.clients.take()
  const lasted = (performance.now() - since) / 1_000
  const after = service.costs()
  const trades = (await service.made()) - made
  const lagAfter = await service.lag()
  const { p50Ms, p99Ms, updates, merged } = received
  return {
    seconds: lasted,
    trades,
    p50Ms,
    p99Ms,
    updates,
    merged,
    lagBefore,
    lagAfter,
    cpuSeconds: eachOf(after, (cost, name) => (cost.cpuUs - before.get(name)!.cpuUs) / 1e6),
    rssMb: eachOf(after, cost => Math.round(cost.rssBytes / MB)),
  }
}

/** How far clients are behind the exchange: what differs is still under way, or lost. */
export interface Baseline {
  readonly made: number
  readonly received: number
  /** Clients that are told of each trade. */
  readonly hearers: number
}

/**
 * Ends the trading and waits until clients have been told of every trade since `from`.
 * @returns milliseconds until then, and how often a client was not told of a trade
 */
export async function drain(service: LoadedService, from: Baseline): Promise<{ drainMs: number; missing: number }> {
  await service.trade(0)
  const since = performance.now()
  const due = ((await service.made()) - from.made) * from.hearers
  const missing = () => due - (service.clients.receivedTrades - from.received)
  const isDone = async () => {
    await service.clients.take()
    return missing() <= 0
  }
  await untilTrue(isDone, 'every trade at the clients', DRAIN_MAX_MS).catch(() => undefined)
  return { drainMs: performance.now() - since, missing: missing() }
}

/**
 * Ends the trading and waits until nothing more comes: what is made from here on can be counted.
 * @param hearers clients that are told of each trade
 */
export async function settle(service: LoadedService, hearers: number): Promise<Baseline> {
  await service.trade(0)
  do {
    await service.clients.take()
    await sleep(QUIET_MS)
  } while ((await service.clients.take()).timed > 0 || (await service.lag()) > 0)
  return { made: await service.made(), received: service.clients.receivedTrades, hearers }
}

function eachOf(
  costs: ReadonlyMap<string, ProcessCost>,
  of: (cost: ProcessCost, name: string) => number,
): Record<string, number> {
  return Object.fromEntries([...costs].map(([name, cost]) => [name, of(cost, name)]))
}
