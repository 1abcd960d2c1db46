import { type ExchangeSimulator, type OracleBar, startExchangeSimulator } from '@chart/exchange-simulator'
import { type BarText, intervalOf, intervalsOf, partitionOf } from '@chart/market'
import {
  type BarQueue,
  barOfPendingValue,
  closeRedis,
  openBarQueue,
  openBlockingRedis,
  openRedis,
  pendingKey,
  type RedisConnection,
  readLiveBars,
  readSymbols,
  registerSymbols,
} from '@chart/redis'
import type { RedisServer } from '@chart/servers'
import { openLog, Registry } from '@chart/service'
import { type AppProcess, PATIENT, runApp, until } from '@chart/testkit'
import { expect } from 'vitest'
import { type AggregateOptions, aggregate } from '../src/aggregate.ts'
import { openMetrics } from '../src/metrics.ts'
import { READ_BLOCK_MS } from '../src/partition-worker.ts'

/** A simulated exchange, an ingestor as a process, and aggregators in this process or as processes of their own. */

export const INTERVALS = ['1s', '1m', '5m', '1h', '1d'] as const
/** Intervals of which enough bars close in a test. */
const CLOSING = ['1s', '1m'] as const

/** Midnight, so that every interval begins with the first trade. */
const START_TIME = Date.UTC(2025, 0, 3)
/** A minute of the exchange passes in five seconds. */
const SPEED = 12

export interface Aggregator {
  readonly member: string
  readonly registry: Registry
  readonly metrics: ReturnType<typeof openMetrics>
  readonly queue: BarQueue
  stop(): Promise<void>
}

export interface Rig extends AsyncDisposable {
  readonly url: string
  readonly redis: RedisConnection
  readonly simulator: ExchangeSimulator
  readonly symbols: readonly string[]
  readonly partitions: number
  startIngestor(env?: Readonly<Record<string, string>>): AppProcess
  /** Writes the symbols down as an ingestor does, for tests without one. */
  register(): Promise<void>
  startAggregator(member: string, options?: Partial<AggregateOptions> & { queueUrl?: string }): Promise<Aggregator>
  runAggregator(member: string, env?: Readonly<Record<string, string>>): AppProcess
  tags(): Promise<string[]>
  /** Who holds each partition's lease. */
  owners(): Promise<Map<string, string | null>>
}

export interface RigOptions {
  readonly symbols?: readonly string[]
  readonly partitions?: number
}

export async function openRig(server: RedisServer, options: RigOptions = {}): Promise<Rig> {
  const { symbols = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT', 'SOLUSDT', 'BNBUSDT'], partitions = 8 } = options
  const redis = await openRedis(server.url, 'test', PATIENT)
  await redis.flushall()
  const simulator = await startExchangeSimulator({
    market: { symbols, tradesPerSecond: 10 },
    // Held until the ingestor listens: a start that takes longer than a minute of the exchange would begin with the next minute.
    clock: { startTime: START_TIME + 5_000, speed: SPEED, hold: true },
  })
  const stop = new AbortController()
  const stops: Promise<void>[] = []
  const rig: Rig = {
    url: server.url,
    redis,
    simulator,
    symbols,
    partitions,
    startIngestor: (env = {}) =>
      runApp('ingestor', {
        ...env,
        SYMBOLS: symbols.join(),
        PARTITIONS: String(partitions),
        REDIS_URL: server.url,
        BINANCE_STREAM_URL: simulator.streamUrl,
        BINANCE_API_URL: simulator.url,
      }),
    async register() {
      const info = {
        status: 'TRADING',
        tickSize: '',
        stepSize: '',
        simulated: false,
        priceScale: 8,
        quantityScale: 8,
        quoteScale: 8,
      }
      await registerSymbols(
        redis,
        symbols.map(symbol => ({ symbol, ...info })),
        partitions,
      )
    },
    async startAggregator(member, { queueUrl = server.url, ...more } = {}) {
      const own = new AbortController()
      const ownRedis = await openRedis(server.url, `aggregator-${member}`)
      const queue = openBarQueue({ url: queueUrl })
      const registry = new Registry()
      const metrics = openMetrics(registry)
      const ended = aggregate({
        openReader: (tag, signal) => openBlockingRedis(server.url, tag, READ_BLOCK_MS, signal),
        redis: ownRedis,
        queue,
        intervals: intervalsOf(INTERVALS),
        persistedIntervals: new Set(INTERVALS),
        member,
        metrics,
        log: openLog('test', process.env.TEST_LOG_LEVEL ?? 'silent'),
        signal: AbortSignal.any([stop.signal, own.signal]),
        ...more,
      }).finally(async () => {
        await queue.close()
        closeRedis(ownRedis)
      })
      stops.push(ended)
      return {
        member,
        registry,
        metrics,
        queue,
        async stop() {
          own.abort()
          await ended
        },
      }
    },
    runAggregator: (member, env = {}) =>
      runApp('aggregator', {
        ...env,
        MEMBER: member,
        REDIS_URL: server.url,
        INTERVALS: INTERVALS.join(),
        PERSISTED_INTERVALS: INTERVALS.join(),
      }),
    tags: async () => [...new Set((await readSymbols(redis)).values())].sort(),
    async owners() {
      const tags = await rig.tags()
      return new Map(await Promise.all(tags.map(async tag => [tag, await redis.get(leaseKeyOf(tag))] as const)))
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled(stops)
      await simulator.close()
      closeRedis(redis)
    },
  }
  return rig
}

export const leaseKeyOf = (tag: string) => `lease:${tag}:aggregate`
export const tokenOf = (rig: Rig, tag: string) => rig.redis.hget(`own:${tag}:aggregate`, 'token')
export const tagIn = (rig: Rig, symbol: string) => `{p${String(partitionOf(symbol, rig.partitions)).padStart(2, '0')}}`

/** Waits until every partition has an owner, and the owners are `members`. */
export async function untilOwnedBy(rig: Rig, members: readonly string[], count = 1): Promise<Map<string, string>> {
  let owners = new Map<string, string | null>()
  await until(`the partitions belong to ${members}`, async () => {
    owners = await rig.owners()
    const names = new Set(owners.values())
    return owners.size >= count && [...names].every(name => name !== null && members.includes(name))
  })
  return owners as Map<string, string>
}

/** Exchange time that the bars of `symbol` have reached. */
export async function reachedTime(rig: Rig, symbol: string): Promise<number> {
  const [live] = await readLiveBars(rig.redis, tagIn(rig, symbol), symbol, ['1m'])
  return live?.throughTime ?? 0
}

/** Waits until the bars of every symbol have passed `time`. */
export async function untilReached(rig: Rig, time: number): Promise<void> {
  for (const symbol of rig.symbols) {
    await until(
      `${symbol} has reached ${new Date(time).toISOString()}`,
      async () => (await reachedTime(rig, symbol)) >= time,
    )
  }
}

/** Closed bars of `symbol` in the outbox, by interval and openTime. */
export async function pendingBars(rig: Rig, symbol: string): Promise<Map<string, BarText>> {
  const values = await rig.redis.hvals(pendingKey(tagIn(rig, symbol)))
  const bars = values.map(barOfPendingValue).filter(bar => bar.symbol === symbol)
  return new Map(bars.map(bar => [`${bar.interval} ${bar.openTime}`, bar]))
}

const NUMBERS = [
  'open',
  'high',
  'low',
  'close',
  'baseVolume',
  'quoteVolume',
  'takerBuyBaseVolume',
  'takerBuyQuoteVolume',
  'tradeCount',
  'firstTradeId',
  'lastTradeId',
  'openTime',
  'closeTime',
] as const
const lineOf = (bar: BarText | OracleBar) => NUMBERS.map(name => bar[name]).join(' ')

/**
 * Checks every closed bar from `from` on against the exchange's oracle, then stops trading and checks the live ones. The bars must
 * have been whole from `from` on: by default from the first trade.
 */
export async function expectBarsRight(rig: Rig, from = START_TIME): Promise<void> {
  const now = rig.simulator.now()
  const to = now - (now % 60_000)
  expect(to, 'a whole minute has passed').toBeGreaterThan(from)
  await untilReached(rig, to)
  for (const symbol of rig.symbols) {
    for (const interval of CLOSING) {
      const oracle = await rig.simulator.oracleBars({ symbol, interval, from, to })
      expect(oracle.length).toBe((to - from) / intervalOf(interval).intervalMs)
      // A trade that came after a watermark makes a correction, which may still be under way.
      await until(`${symbol} ${interval} is right`, async () => {
        const pending = await pendingBars(rig, symbol)
        const bars = oracle.map(({ openTime }) => pending.get(`${interval} ${openTime}`))
        expect(bars.map(bar => bar && lineOf(bar))).toEqual(oracle.map(lineOf))
        expect(bars.filter(bar => !bar!.complete)).toEqual([])
        return true
      })
    }
  }
  if (from === START_TIME) await expectLiveBarsRight(rig)
}

async function expectLiveBarsRight(rig: Rig): Promise<void> {
  for (const symbol of rig.symbols) rig.simulator.halt({ symbol })
  for (const symbol of rig.symbols) {
    const { lastTradeId } = rig.simulator.status().symbols[symbol]!
    const intervals = ['1h', '1d'] as const
    await until(`${symbol} has reached its last trade`, async () => {
      const live = await readLiveBars(rig.redis, tagIn(rig, symbol), symbol, intervals)
      return live.every(bar => bar?.throughTradeId === lastTradeId)
    })
    const live = await readLiveBars(rig.redis, tagIn(rig, symbol), symbol, intervals)
    for (const [index, interval] of intervals.entries()) {
      const [oracle] = await rig.simulator.oracleBars({ symbol, interval, from: START_TIME, to: START_TIME + 1 })
      expect(lineOf(live[index]!.bar), `live ${symbol} ${interval}`).toBe(lineOf(oracle!))
      expect(live[index]!.bar).toMatchObject({ complete: true, state: 'live', revision: 0 })
    }
  }
}

/** Waits until the exchange has traded for `ms` of its own time. */
export async function trade({ simulator }: Rig, ms: number): Promise<void> {
  const endTime = simulator.now() + ms
  await until(`${ms} ms of trades`, () => simulator.now() >= endTime)
}

export async function metricOf(
  counter: { get(): Promise<{ values: { value: number; labels: object }[] }> },
  labels: Record<string, string> = {},
): Promise<number> {
  const { values } = await counter.get()
  const found = values.find(value =>
    Object.entries(labels).every(([name, label]) => (value.labels as never)[name] === label),
  )
  return found?.value ?? 0
}
