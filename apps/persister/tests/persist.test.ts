import { setTimeout as sleep } from 'node:timers/promises'
import type { BarText } from '@chart/market'
import { countBars, listBars, migrate, openPostgres, type Postgres, upsertBars } from '@chart/postgres'
import {
  type BarQueue,
  closeRedis,
  countPending,
  openBarQueue,
  openRedis,
  type PendingEntry,
  pendingFieldOf,
  pendingKey,
  pendingValueOf,
  type RedisConnection,
  workBarQueue,
} from '@chart/redis'
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'
import { openLog, Registry } from '@chart/service'
import { PATIENT } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Metrics, openMetrics } from '../src/metrics.ts'
import { persist } from '../src/persist.ts'

const MINUTE = 60_000
const START = Date.UTC(2024, 7, 8)
const TAG = '{p07}'

let redisServer: RedisServer
let postgresServer: PostgresServer
let redis: RedisConnection
let postgres: Postgres
beforeAll(async () => {
  ;[redisServer, postgresServer] = await Promise.all([startRedis(), startPostgres({ fsync: false })])
  redis = await openRedis(redisServer.url, 'test', PATIENT)
  postgres = await openPostgres({ url: postgresServer.url, applicationName: 'test' })
  await migrate(postgres)
})
afterAll(async () => {
  closeRedis(redis)
  await postgres[Symbol.asyncDispose]()
  await Promise.all([redisServer.close(), postgresServer.close()])
})

let queue: BarQueue
let registry: Registry
let metrics: Metrics
let stop: AbortController
let running: Promise<void>[]
beforeEach(async () => {
  await redis.flushall()
  await postgres.query({ text: 'TRUNCATE bars' })
  queue = openBarQueue({ url: redisServer.url })
  registry = new Registry()
  metrics = openMetrics(registry, queue)
  stop = new AbortController()
  running = []
})
afterEach(async () => {
  stop.abort()
  await Promise.all(running)
  await queue.close()
})

function startPersister(): void {
  const log = openLog('persister', 'silent')
  running.push(
    persist({
      workQueue: work => workBarQueue({ ...work, url: redisServer.url }),
      redis,
      postgres,
      metrics,
      log,
      signal: stop.signal,
    }),
  )
}

function bar(index: number, over: Partial<BarText> = {}): BarText {
  const openTime = START + index * MINUTE
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    openTime,
    closeTime: openTime + MINUTE - 1,
    open: '61837.63000000',
    high: '61900.00000000',
    low: '61800.00000000',
    close: '61850.10000000',
    baseVolume: '12.34500000',
    quoteVolume: '763456.12345678',
    takerBuyBaseVolume: '6.10000000',
    takerBuyQuoteVolume: '377000.00000000',
    tradeCount: 101,
    firstTradeId: index * 101,
    lastTradeId: index * 101 + 100,
    state: 'closed',
    revision: 0,
    complete: true,
    ...over,
  }
}

const bars = (count: number) => Array.from({ length: count }, (_, index) => bar(index))
const entriesOf = (all: readonly BarText[]): PendingEntry[] =>
  all.map(one => [pendingFieldOf(one), pendingValueOf(one)])

/** What the commit does: the bars enter the outbox. */
async function addPending(entries: readonly PendingEntry[]): Promise<void> {
  await redis.hset(pendingKey(TAG), ...entries.flat())
}

const storedBars = () => listBars(postgres, { symbol: 'BTCUSDT', interval: '1m', order: 'oldest', limit: 10_000 })

async function until(condition: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not so after ${ms} ms: ${condition}`)
    await sleep(20)
  }
}
const untilAcknowledged = () => until(async () => (await countPending(redis, TAG)) === 0)

async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const values = (await registry.getSingleMetric(name)!.get()).values
  const found = values.find(value => Object.entries(labels).every(([key, label]) => value.labels[key] === label))
  return found?.value ?? 0
}

test('closed bars become rows and leave the outbox', async () => {
  const all = bars(1_000)
  await addPending(entriesOf(all))
  await queue.enqueue(TAG, 'k', entriesOf(all))
  startPersister()
  await untilAcknowledged()
  expect(await storedBars()).toEqual(all)
  await until(async () => (await metric('chart_persister_jobs_total', { result: 'done' })) === 10)
  expect(await metric('chart_persister_bars_total', { result: 'written' })).toBe(1_000)
  expect(
    (await metrics.batchBars.get()).values.find(value => value.metricName?.endsWith('_count'))!.value,
  ).toBeLessThan(10)
})

test('how late a bar is stored is told of those that are stored for the first time', async () => {
  const delays = async () => {
    const { values } = await registry.getSingleMetric('chart_persister_stored_delay_seconds')!.get()
    const of = (end: string) =>
      (values as { metricName?: string; value: number }[]).find(one => one.metricName?.endsWith(end))
    return { count: of('_count')!.value, sum: of('_sum')!.value }
  }
  const endedTime = Math.floor(Date.now() / MINUTE) * MINUTE
  const young = { ...bar(0), openTime: endedTime - MINUTE, closeTime: endedTime - 1 }
  expect(await delays()).toEqual({ count: 0, sum: 0 })
  await addPending(entriesOf([young]))
  await queue.enqueue(TAG, 'k', entriesOf([young]))
  startPersister()
  await untilAcknowledged()
  const { count, sum } = await delays()
  expect(count).toBe(1)
  expect(sum).toBeGreaterThan(0)
  expect(sum * 1_000).toBeLessThanOrEqual(Date.now() - endedTime)
  const restated = { ...young, revision: 1, tradeCount: young.tradeCount + 1, lastTradeId: young.lastTradeId + 1 }
  for (const [key, entries] of Object.entries({ again: entriesOf([young]), restated: entriesOf([restated]) })) {
    await addPending(entries)
    await queue.enqueue(TAG, key, entries)
    await untilAcknowledged()
  }
  expect(await metric('chart_persister_bars_total', { result: 'written' })).toBe(2)
  expect(await metric('chart_persister_bars_total', { result: 'unchanged' })).toBe(1)
  expect((await delays()).count).toBe(1)
})

test('repeated, stale and reordered jobs change nothing, and a restated bar leaves the outbox only when it is stored', async () => {
  const first = bar(0)
  const restated = bar(0, { lastTradeId: 101, close: '61850.20000000', revision: 1 })
  await addPending(entriesOf([restated]))
  for (const [key, one] of [first, restated, first, restated, first].entries()) {
    await queue.enqueue(TAG, `k${key}`, entriesOf([one]))
  }
  startPersister()
  await until(async () => (await metric('chart_persister_jobs_total', { result: 'done' })) === 5)
  expect(await storedBars()).toEqual([restated])
  expect(await countPending(redis, TAG)).toBe(0)

  await addPending(entriesOf([bar(0, { lastTradeId: 102, revision: 2 })]))
  await queue.enqueue(TAG, 'late', entriesOf([restated]))
  await until(async () => (await metric('chart_persister_jobs_total', { result: 'done' })) === 6)
  expect(await countPending(redis, TAG)).toBe(1)
})

test('PostgreSQL killed in the middle of the work: afterwards every bar is there once, and no job has failed', async () => {
  const all = bars(5_000)
  await addPending(entriesOf(all))
  startPersister()
  startPersister()
  await queue.enqueue(TAG, 'k', entriesOf(all.slice(0, 2_500)))
  await until(async () => (await countBars(postgres)) > 500)
  await postgresServer.kill()
  await queue.enqueue(TAG, 'l', entriesOf(all.slice(2_500)))
  await until(async () => (await metric('chart_persister_jobs_total', { result: 'postponed' })) > 0)
  expect(await queue.failedCount()).toBe(0)
  expect(await countPending(redis, TAG)).toBeGreaterThan(0)
  await postgresServer.restart()
  await untilAcknowledged()
  expect(await storedBars()).toEqual(all)
  await until(async () => (await queue.waitingCount()) === 0)
  expect(await queue.failedCount()).toBe(0)
})

test('a bar that is not acknowledged because Redis refuses is stored all the same', async () => {
  await redis.set(pendingKey(TAG), 'no hash')
  await queue.enqueue(TAG, 'k', entriesOf([bar(0)]))
  startPersister()
  await until(async () => (await metric('chart_persister_jobs_total', { result: 'done' })) === 1)
  expect(await storedBars()).toEqual([bar(0)])
  expect(await metric('chart_persister_failed_acks_total')).toBe(1)
})

test('poison bars fail alone: by what PostgreSQL refuses and by what is no bar', async () => {
  const good = bars(300)
  const poison: PendingEntry[] = [
    ...entriesOf([bar(400, { high: '1.00000000' }), bar(401, { tradeCount: 3_000_000_000 }), bar(100_000_000)]),
    [pendingFieldOf(bar(403)), '{"symbol":"BTCUSDT"'],
    [pendingFieldOf(bar(404)), pendingValueOf(bar(405))],
  ]
  const entries = entriesOf(good)
  entries.splice(50, 0, ...poison.slice(0, 3))
  entries.splice(250, 0, ...poison.slice(3))
  await addPending(entries)
  await queue.enqueue(TAG, 'k', entries)
  startPersister()
  await until(async () => (await countPending(redis, TAG)) === poison.length)
  await until(async () => (await queue.failedCount()) === 2)
  expect(await storedBars()).toEqual(good)
  expect((await redis.hkeys(pendingKey(TAG))).sort()).toEqual(poison.map(([field]) => field).sort())
  const failed = await Promise.all(['p07-k-0', 'p07-k-2'].map(id => redis.hgetall(`{bull}:bars:${id}`)))
  expect(failed.flatMap(job => JSON.parse(job.data!).entries.map(([field]: PendingEntry) => field)).sort()).toEqual(
    poison.map(([field]) => field).sort(),
  )
  expect(failed[0]!.failedReason).toMatch(
    /^3 of 100 bars refused: BTCUSDT\|1m\|\d+: .*prices_in_order.*out of range for type integer.*no bar opens at 2214/,
  )
  expect(failed[1]!.failedReason).toMatch(/^2 of 100 bars refused: .*not JSON.*its value is of BTCUSDT\|1m/)
  expect(await metric('chart_persister_bars_total', { result: 'refused' })).toBe(5)
})

test('PostgreSQL that refuses everything, whatever the bar, postpones: nothing fails', async () => {
  await postgres.query({ text: 'ALTER TABLE bars RENAME TO elsewhere' })
  try {
    await addPending(entriesOf(bars(10)))
    await queue.enqueue(TAG, 'k', entriesOf(bars(10)))
    startPersister()
    await until(async () => (await metric('chart_persister_jobs_total', { result: 'postponed' })) >= 2)
    expect(await queue.failedCount()).toBe(0)
  } finally {
    await postgres.query({ text: 'ALTER TABLE elsewhere RENAME TO bars' })
  }
  await untilAcknowledged()
  expect(await storedBars()).toEqual(bars(10))
})

test('newer rows of another writer stay', async () => {
  const newer = bar(0, { lastTradeId: 500 })
  await upsertBars(postgres, [newer])
  await addPending(entriesOf([bar(0)]))
  await queue.enqueue(TAG, 'k', entriesOf([bar(0)]))
  startPersister()
  await untilAcknowledged()
  expect(await storedBars()).toEqual([newer])
})
