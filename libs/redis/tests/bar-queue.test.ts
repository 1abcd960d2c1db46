import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BarText } from '@chart/market'
import { freePort, type RedisServer, startRedis } from '@chart/servers'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type BarJob,
  type BarQueue,
  type BarWork,
  barOfPendingValue,
  openBarQueue,
  PendingBarError,
  pendingFieldOf,
  pendingValueOf,
  workBarQueue,
} from '../src/bar-queue.ts'

const BAR: BarText = {
  symbol: 'BTCUSDT',
  interval: '1m',
  openTime: 1_723_118_400_000,
  closeTime: 1_723_118_459_999,
  open: '61837.63000000',
  high: '61900.00000000',
  low: '61800.00000000',
  close: '61850.10000000',
  baseVolume: '98765432109876543210.12345678',
  quoteVolume: '763456.12345678',
  takerBuyBaseVolume: '0.00000000',
  takerBuyQuoteVolume: '377000.00000000',
  tradeCount: 101,
  firstTradeId: 3_700_000_000,
  lastTradeId: 3_700_000_100,
  state: 'closed',
  revision: 0,
  complete: true,
}

describe('a bar in the outbox', () => {
  test('comes back to the letter, and equal bars give equal texts whatever the order of their members', () => {
    const value = pendingValueOf(BAR)
    expect(JSON.stringify(barOfPendingValue(value))).toBe(JSON.stringify(BAR))
    const shuffled = Object.fromEntries(Object.entries(BAR).reverse()) as unknown as BarText
    expect(pendingValueOf(shuffled)).toBe(value)
    expect(pendingFieldOf(BAR)).toBe('BTCUSDT|1m|1723118400000')
    const flat = { ...BAR, tradeCount: 0, firstTradeId: -1, lastTradeId: -1 }
    expect(barOfPendingValue(pendingValueOf(flat))).toEqual(flat)
  })

  test('may have members that a newer release added', () => {
    expect(barOfPendingValue(JSON.stringify({ ...BAR, mood: 'bullish' }))).toEqual(BAR)
  })

  test.each<[string, object]>([
    ['symbol', { symbol: 'btcusdt' }],
    ['interval', { interval: '7m' }],
    ['openTime', { openTime: 1_723_118_400_001 }],
    ['openTime', { openTime: '1723118400000' }],
    ['closeTime', { closeTime: 1_723_118_460_000 }],
    ['open', { open: 61837.63 }],
    ['high', { high: 'NaN' }],
    ['low', { low: '-1' }],
    ['close', { close: '1e5' }],
    ['baseVolume', { baseVolume: undefined }],
    ['quoteVolume', { quoteVolume: '9'.repeat(41) }],
    ['tradeCount', { tradeCount: 1.5 }],
    ['lastTradeId', { lastTradeId: 2 ** 53 }],
    ['firstTradeId', { firstTradeId: -2 }],
    ['state', { state: 'live' }],
    ['revision', { revision: null }],
    ['complete', { complete: 1 }],
  ])('is refused with the name of what is wrong: %s %o', (name, over) => {
    expect(() => barOfPendingValue(JSON.stringify({ ...BAR, ...over }))).toThrow(
      expect.objectContaining({ name: 'PendingBarError', message: expect.stringContaining(`${name} must be`) }),
    )
  })

  test.each(['', '{', 'null', '7', '"bar"', '[]'])('is refused when it is no bar at all: %s', value => {
    expect(() => barOfPendingValue(value)).toThrow(PendingBarError)
  })
})

const TAG = '{p07}'
const entry = (field: string): [string, string] => [field, `value of ${field}`]
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(`f${index}`))

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
  admin.on('error', () => undefined)
})
afterAll(async () => {
  admin.disconnect()
  await server.close()
})

let queue: BarQueue
let stops: (() => Promise<void>)[]
let warnings: string[]
let failures: string[]
beforeEach(async () => {
  await admin.flushall()
  stops = []
  warnings = []
  failures = []
  queue = openBarQueue({ url: server.url })
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await queue.close()
})

/** A worker that runs until the test ends. */
function work(over: Partial<BarWork> & Pick<BarWork, 'handle'>): () => Promise<void> {
  const stop = new AbortController()
  const done = workBarQueue({
    url: server.url,
    concurrency: 4,
    isTemporary: error => (error as Error).message.includes('down'),
    retryDelayMs: 100,
    log: {
      warn: (_, message) => warnings.push(message),
      error: (_, message) => failures.push(message),
    },
    signal: stop.signal,
    ...over,
  })
  const end = () => {
    stop.abort()
    return done
  }
  stops.push(end)
  return end
}

async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so after ${ms} ms: ${condition}`)
    await sleep(10)
  }
}

const jobKeys = async () => (await admin.keys('{bull}:bars:p07-*')).filter(key => !key.endsWith(':lock')).sort()

test('entries go to the handler in jobs of at most a hundred, and nothing of a finished job stays', async () => {
  const got: BarJob[] = []
  expect(await queue.enqueue(TAG, '42-7', entries(250))).toBe(3)
  expect(await queue.waitingCount()).toBe(3)
  expect(await jobKeys()).toEqual(['{bull}:bars:p07-42-7-0', '{bull}:bars:p07-42-7-1', '{bull}:bars:p07-42-7-2'])
  work({ handle: async job => void got.push(job) })
  await until(async () => (await jobKeys()).length === 0)
  expect(got.map(job => [job.tag, job.entries.length])).toEqual([
    [TAG, 100],
    [TAG, 100],
    [TAG, 50],
  ])
  expect(got.flatMap(job => job.entries)).toEqual(entries(250))
  expect([await queue.waitingCount(), await queue.failedCount(), failures]).toEqual([0, 0, []])
})

test('the same key again is silent while its job waits, and a new job once it is done', async () => {
  let runs = 0
  await queue.enqueue(TAG, 'k', entries(1))
  await queue.enqueue(TAG, 'k', entries(1))
  expect(await queue.waitingCount()).toBe(1)
  work({ handle: async () => void runs++ })
  await until(async () => runs === 1 && (await jobKeys()).length === 0)
  await queue.enqueue(TAG, 'k', entries(1))
  await until(() => runs === 2)
})

test('names that BullMQ would refuse are a clear error at once', async () => {
  await expect(queue.enqueue('p07', 'k', entries(1))).rejects.toThrow(/a partition's tag is like \{p07\}/)
  await expect(queue.enqueue(TAG, 'a:b', entries(1))).rejects.toThrow(/a job key has/)
  await queue.enqueue(TAG, '123', entries(1))
  expect(await queue.enqueue(TAG, 'none', [])).toBe(0)
})

test('a temporary error burns no attempt however long it lasts, and all jobs are done afterwards', async () => {
  let down = true
  let tries = 0
  const done: string[] = []
  await queue.enqueue(TAG, 'k', entries(2_000))
  const handle = async (job: BarJob) => {
    tries++
    if (down) throw new Error('the database is down')
    done.push(...job.entries.map(([field]) => field))
    return undefined
  }
  work({ handle })
  work({ handle })
  await sleep(2_000)
  const triesWhileDown = tries
  expect(await queue.failedCount()).toBe(0)
  expect(done).toEqual([])
  down = false
  await until(() => done.length >= 2_000)
  expect(done.toSorted()).toEqual(
    entries(2_000)
      .map(([field]) => field)
      .sort(),
  )
  // 20 pauses of 100 ms, two workers with four jobs at once.
  expect(triesWhileDown).toBeLessThanOrEqual(21 * 8)
  expect([await queue.failedCount(), failures]).toEqual([0, []])
})

test('any other error fails the job at once, keeps it with its reason, and holds up no other', async () => {
  let tries = 0
  const done: string[] = []
  work({
    handle: async job => {
      if (job.entries[0]![0] !== 'f0') return void done.push(job.entries[0]![0])
      tries++
      throw new Error('numeric field overflow')
    },
  })
  await queue.enqueue(TAG, 'k', entries(300))
  await until(async () => done.length === 2 && (await queue.failedCount()) === 1)
  expect(tries).toBe(1)
  expect(await admin.hget('{bull}:bars:p07-k-0', 'failedReason')).toBe('numeric field overflow')
  expect(failures).toEqual(['bar queue: job failed'])
})

test('a failed job keeps only the entries that are at fault', async () => {
  work({
    handle: async () => ({ reason: '1 of 100 bars', entries: [entry('f3')] }),
  })
  await queue.enqueue(TAG, 'k', entries(100))
  await until(async () => (await queue.failedCount()) === 1)
  expect(await admin.hget('{bull}:bars:p07-k-0', 'failedReason')).toBe('1 of 100 bars')
  expect(failures).toEqual(['bar queue: job failed: 1 of 100 bars'])
  expect(JSON.parse((await admin.hget('{bull}:bars:p07-k-0', 'data'))!)).toEqual({ tag: TAG, entries: [entry('f3')] })
})

test('the job of a worker that was killed is done by another, however often that happens', async () => {
  await queue.enqueue(TAG, 'k', entries(100))
  const module = new URL('../src/bar-queue.ts', import.meta.url).href
  const hang = `
    import { workBarQueue } from ${JSON.stringify(module)}
    await workBarQueue({
      url: ${JSON.stringify(server.url)}, concurrency: 1, lockMs: 500, stalledCheckMs: 200, retryDelayMs: 100,
      handle: () => { process.stdout.write('running'); return new Promise(() => {}) },
      isTemporary: () => false, log: console, signal: new AbortController().signal,
    })`
  for (let death = 0; death < 3; death++) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', hang], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    stops.push(async () => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const got: BarJob[] = []
  work({ handle: async job => void got.push(job), lockMs: 500, stalledCheckMs: 200 })
  await until(() => got.length === 1)
  expect(got[0]!.entries).toEqual(entries(100))
  expect(await queue.failedCount()).toBe(0)
})

test('closing takes no further job and waits for the one that runs', async () => {
  const running = Promise.withResolvers<void>()
  let ended = false
  const end = work({
    concurrency: 1,
    handle: async () => {
      running.resolve()
      await sleep(500)
      ended = true
      return undefined
    },
  })
  await queue.enqueue(TAG, 'k', entries(200))
  await running.promise
  await end()
  expect(ended).toBe(true)
  expect(await queue.waitingCount()).toBe(1)
  expect(await jobKeys()).toEqual(['{bull}:bars:p07-k-1'])
})

test('a Redis that is full is asked about once a second, and the jobs go on when it has room again', async () => {
  const got: BarJob[] = []
  await queue.enqueue(TAG, 'k', entries(500))
  const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1])
  await admin.config('SET', 'maxmemory', String(Math.floor(used / 2)))
  let calls = 0
  try {
    const before = Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))![1])
    work({ handle: async job => void got.push(job) })
    await sleep(3_000)
    calls = Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))![1]) - before
    expect(got).toEqual([])
    await expect(queue.enqueue(TAG, 'l', entries(1))).rejects.toThrow(/OOM/)
  } finally {
    await admin.config('SET', 'maxmemory', '0')
  }
  expect(calls).toBeLessThan(200)
  expect(warnings.length).toBeLessThanOrEqual(2)
  await until(() => got.length === 5)
})

describe('without Redis', () => {
  test('the producer fails within seconds, and works again when Redis is back', async () => {
    await queue.enqueue(TAG, 'before', entries(1))
    await server.kill()
    const started = Date.now()
    await expect(queue.enqueue(TAG, 'during', entries(1))).rejects.toThrow(/the queue's Redis at 127\.0\.0\.1:\d+: /)
    await expect(queue.waitingCount()).rejects.toThrow(/the queue's Redis/)
    expect(Date.now() - started).toBeLessThan(5_000)
    await server.restart()
    await until(() =>
      queue.enqueue(TAG, 'after', entries(1)).then(
        () => true,
        () => false,
      ),
    )
  })

  test('the worker waits for it and goes on', async () => {
    const got: BarJob[] = []
    work({ handle: async job => void got.push(job) })
    await queue.enqueue(TAG, 'before', entries(1))
    await until(() => got.length === 1)
    await server.kill()
    await sleep(500)
    await server.restart()
    await until(() =>
      queue.enqueue(TAG, 'after', entries(1)).then(
        () => true,
        () => false,
      ),
    )
    await until(() => got.length === 2)
  })

  test('both ends open and close in bounded time', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    const absent = openBarQueue({ url })
    await expect(absent.enqueue(TAG, 'k', entries(1))).rejects.toThrow(/no connection in 3000 ms/)
    await absent.close()
    const end = work({ url, handle: async () => undefined })
    await sleep(300)
    const started = Date.now()
    await end()
    expect(Date.now() - started).toBeLessThan(4_000)
  })
})
