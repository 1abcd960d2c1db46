import { setTimeout as sleep } from 'node:timers/promises'
import { headsKey, ownerKey, positionKey, type RedisConnection, readServiceStatus } from '@chart/redis'
import { costOf } from '../../harness/bench-process.ts'
import type { Sample } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import type { AppProcess } from './app-process.ts'
import { type Market, openMarket } from './market.ts'
import { type Step, silenceOf, untilFirstStep } from './silence.ts'

/** An app of which one process works and another stands by. */
export interface Pair {
  start(market: Market, member: string): AppProcess
  stepOf(redis: RedisConnection, tag: string): Promise<Step>
  /** Whether `member` would take over. */
  isReady(market: Market, member: string, process: AppProcess): Promise<boolean>
  /** Who must be there before the first of the two: another app. */
  readonly before?: (market: Market) => AppProcess
}

export const ingestors: Pair = {
  start: (market, member) => market.startIngestor(member),
  async stepOf(redis, tag) {
    const [at, by] = await Promise.all([redis.hget(headsKey(tag), 'seq'), redis.hget(ownerKey(tag, 'ingest'), 'owner')])
    return { at, by }
  },
  async isReady({ redis }, member, process) {
    const { shards } = await readServiceStatus(redis)
    return process.said(/"feed connected"/) !== undefined && shards.every(({ line }) => line.includes(member))
  },
}

export const aggregators: Pair = {
  start: (market, member) => market.startAggregator(member),
  async stepOf(redis, tag) {
    const key = ownerKey(tag, 'aggregate')
    const [at, by] = await Promise.all([redis.hget(positionKey(tag), 'pos'), redis.hget(key, 'owner')])
    return { at, by }
  },
  async isReady({ redis }, member) {
    return (await readServiceStatus(redis)).partitions.every(({ line }) => line.includes(member))
  },
  before: market => market.startIngestor('feed'),
}

const MEMBERS = ['one', 'two'] as const
const SIGNALS = [
  ['SIGKILL', 'killedMs'],
  ['SIGSTOP', 'stoppedMs'],
  ['SIGTERM', 'handOverMs'],
] as const
/** A machine where it takes longer is too busy to measure anything. */
const START_MAX_MS = 60_000
/** A process that has just begun is busy with itself, and waits longer before it takes over. */
const CALM_MS = 1_500

/** Times (ms) of one start and of three take-overs, each by a process that was started for it. */
export async function measureTakeovers(redisUrl: string, pair: Pair): Promise<Sample> {
  await using market = await openMarket(redisUrl)
  await using stack = new AsyncDisposableStack()
  const { redis, tags } = market
  const stepOf = (tag: string) => pair.stepOf(redis, tag)
  if (pair.before !== undefined) {
    stack.use(pair.before(market))
    const seqs = () => Promise.all(tags.map(tag => redis.hget(headsKey(tag), 'seq')))
    await untilTrue(async () => !(await seqs()).includes(null), 'all logs are being written', START_MAX_MS)
  }
  const running = new Map<string, AppProcess>()
  stack.defer(async () => {
    for (const one of running.values()) await one[Symbol.asyncDispose]()
  })
  const [member] = MEMBERS
  const first = pair.start(market, member)
  running.set(member, first)
  await untilFirstStep(tags, stepOf)
  const sample: Record<string, number> = {
    startMs: performance.now() - first.startTime,
    startCpuMs: costOf(first.pid).cpuUs / 1_000,
  }
  for (const [signal, figure] of SIGNALS) {
    await startMissing(market, pair, running)
    sample[figure] = await measureSignal(tags, stepOf, running, signal)
  }
  return sample
}

async function startMissing(market: Market, pair: Pair, running: Map<string, AppProcess>): Promise<void> {
  for (const member of MEMBERS) {
    if (running.has(member)) continue
    const process = pair.start(market, member)
    running.set(member, process)
    await untilTrue(() => pair.isReady(market, member, process), `${member} stands by`, START_MAX_MS)
  }
  await sleep(CALM_MS)
}

/** Signals the one that has the most partitions, and gives the longest time that one of these stood still. */
async function measureSignal(
  tags: readonly string[],
  stepOf: (tag: string) => Promise<Step>,
  running: Map<string, AppProcess>,
  signal: NodeJS.Signals,
): Promise<number> {
  const owners = await Promise.all(tags.map(async tag => ({ tag, by: (await stepOf(tag)).by })))
  const shares = [...Map.groupBy(owners, ({ by }) => by)].sort(([, a], [, b]) => b.length - a.length)
  const [member, share] = shares[0]!
  const process = running.get(member ?? '')
  if (process === undefined) throw new Error(`the partitions belong to "${member}", who was not started`)
  const ms = await silenceOf(
    share.map(({ tag }) => tag),
    stepOf,
    () => process.kill(signal),
  )
  running.delete(member!)
  // One that is stopped must not wake up.
  await process[Symbol.asyncDispose]()
  return ms
}
