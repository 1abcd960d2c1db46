import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBarQueue, openBarQueueView, pendingKey, workBarQueue } from '@chart/redis'
import { freePort, type RedisServer, startRedis, startRedisCluster, startRedisSentinel } from '@chart/servers'
import { BARE_ENV, until } from '@chart/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type KeptService, keepService, TAG } from './kept-service.ts'

/** `chart status` and `chart queue` against a real Redis in which everything is as a service leaves it. */

const CHART = fileURLToPath(new URL('../bin/chart.ts', import.meta.url))
const DATA_DIR = mkdtempSync(join(tmpdir(), 'chart-status-'))

let server: RedisServer
let service: KeptService
beforeEach(async () => {
  server = await startRedis()
  service = await keepService(server.url)
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
  await server.close()
  rmSync(DATA_DIR, { recursive: true, force: true })
})

interface Answer {
  status: number
  out: string
  err: string
}

function chart(...args: string[]): Promise<Answer> {
  return new Promise(resolve => {
    execFile(process.execPath, [CHART, ...args], { env: { ...BARE_ENV, DATA_DIR } }, (error, out, err) =>
      resolve({ status: error === null ? 0 : (error.code as number), out, err }),
    )
  })
}
const status = (...args: string[]) => chart('status', '--redis', server.url, ...args)
const findings = async () => {
  const { out, status: code } = await status('--json')
  const { well, findings } = JSON.parse(out) as { well: boolean; findings: string[] }
  expect([well, code]).toEqual(findings.length === 0 ? [true, 0] : [false, 1])
  return findings
}

test('a service that is well is said to be in the first line, with status 0', async () => {
  const { status: code, out, err } = await status()
  expect([code, err]).toEqual([0, ''])
  const lines = out.split('\n')
  expect(lines[0]).toBe('all well')
  expect(out).toMatch(/^0 +ingestor-1 +1\.\d s +ingestor-1 +1$/m)
  expect(lines.find(line => line.startsWith(TAG))).toMatch(/ ingestor-1 +1 +aggregator-1 +1 +0 +0 +0 {2}BTCUSDT$/)
  expect(out).toMatch(/^BTCUSDT +live +0\.\d s .* 7 {2}TRADING$/m)
})

test('a leader that dies is seen, and the exit status says so', async () => {
  service.killIngestors()
  await until('its lease ends', async () => (await findings()).length > 0)
  const { status: code, out } = await status()
  expect(code).toBe(1)
  expect(out.split('\n')[0]).toBe('not well: no ingestor is running: nothing comes in from the exchange')
  expect(out).toMatch(/^0 +none +- /m)
})

test('an owner that stands still while the log grows is seen', async () => {
  await service.growLog(12)
  expect(await findings()).toEqual([`partition ${TAG} (BTCUSDT) stands still: aggregator-1 is 12 log entries behind`])
})

test('bars that PostgreSQL does not have are seen when they are old', async () => {
  // Not cut by minutes: late in a minute its newest bar is nearly as old as what counts as old.
  const closedAt = (ms: number) => ({ [`BTCUSDT|1m|${ms - 60_000}`]: '{}' })
  await service.redis.hset(pendingKey(TAG), closedAt(Date.now()))
  expect(await findings()).toEqual([])
  await service.redis.hset(pendingKey(TAG), closedAt(Date.now() - 600_000))
  expect(await findings()).toEqual([
    expect.stringMatching(/^2 closed bars not yet in PostgreSQL, the oldest for 1\d min:/),
  ])
})

test('failed jobs are seen; chart queue says which and why, and tries them again', async () => {
  await using queue = openBarQueue({ url: server.url })
  await using view = openBarQueueView({ url: server.url })
  await queue.enqueue(TAG, 'one', [['BTCUSDT|1m|1723118400000', '{}']])
  await failOnce()
  expect(await findings()).toEqual(['1 job failed: "npx chart queue" tells why, and tries again'])
  const { status: code, out } = await chart('queue', '--redis', server.url)
  expect(code).toBe(0)
  const [counts, , head, row] = out.split('\n')
  expect(counts).toBe('0 waiting   0 active   0 delayed   1 failed')
  expect(head).toMatch(/^failed +job +bars +reason$/)
  expect(row).toMatch(/^20\S+ \S+ {2}p\d+-one-0 {2}BTCUSDT 1m 2024-08-08 12:00:00 {2}open is above high$/)
  expect(await chart('queue', '--retry', '--redis', server.url)).toEqual({
    status: 0,
    out: '1 waiting   0 active   0 delayed   0 failed\n',
    err: '1 failed job put back into the queue\n',
  })
  expect(await findings()).toEqual([])

  async function failOnce() {
    const stop = new AbortController()
    const done = workBarQueue({
      url: server.url,
      concurrency: 1,
      handle: async ({ entries }) => ({ entries, reason: 'open is above high' }),
      isTemporary: () => false,
      retryDelayMs: 100,
      log: { warn() {}, error() {} },
      signal: stop.signal,
    })
    await until('it has failed', async () => (await view.counts()).failed === 1)
    stop.abort()
    await done
  }
})

test('the Redis of a running npm start is found by itself', async () => {
  mkdirSync(join(DATA_DIR, 'simulated'), { recursive: true })
  const write = (pid: number) =>
    writeFileSync(
      join(DATA_DIR, 'simulated', 'run.json'),
      JSON.stringify({ pid, grpc: '127.0.0.1:1', binanceApiUrl: '', redisUrl: server.url }),
    )
  write(process.pid)
  expect((await chart('status')).out.split('\n')[0]).toBe('all well')
  // One that was killed left its file behind.
  write(2 ** 30)
  expect((await chart('status')).out).not.toContain(`:${server.port} `)
})

test('a Redis that is not there is one line and status 1, a URL that is none one line and status 2', async () => {
  const gone = `redis://127.0.0.1:${await freePort()}`
  const away = await chart('status', '--redis', gone)
  expect([away.status, away.out]).toEqual([1, ''])
  expect(away.err).toMatch(/^chart status: cannot reach Redis at 127\.0\.0\.1:\d+: .*; start it or set REDIS_URL\n$/)
  const queueAway = await status('--queue-redis', gone)
  expect([queueAway.status, queueAway.out]).toEqual([1, ''])
  expect(queueAway.err).toMatch(/^chart status: the queue's Redis at 127\.0\.0\.1:\d+: .*\n$/)
  const none = await chart('status', '--redis', 'nowhere')
  expect(none.status).toBe(2)
  expect(none.err).toMatch(/^chart status: the URL of Redis: wanted redis:\/\/host:port, [^\n]*\n$/)
  expect((await status('now')).status).toBe(2)
  expect((await chart('queue', '--limit', '0')).status).toBe(2)
})

test('a Redis that has something else under our keys is one line that says so', async () => {
  await service.redis.del('symbols')
  await service.redis.set('symbols', 'of another service')
  const { status: code, out, err } = await status()
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/^chart status: Redis cannot be read: WRONGTYPE [^\n]*\n$/)
})

test('watched, each change of the judgement is a line, a Redis that goes away too, and the last one is the exit status', async () => {
  const child = spawn(process.execPath, [CHART, 'status', '--watch', '--redis', server.url], {
    env: BARE_ENV,
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  const exited = once(child, 'exit')
  await until('it is well', () => out.endsWith('all well\n'))
  await service.growLog(12)
  await until('it is not', () => out.includes('not well: partition'))
  await server.close()
  await until('Redis is away', () => out.includes('not well: Redis cannot be read: '))
  child.kill('SIGINT')
  expect((await exited)[0]).toBe(1)
  const lines = out.trim().split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}(all well|not well: )/)
})

test.each([
  ['Sentinel', startRedisSentinel],
  ['a cluster', () => startRedisCluster()],
])('it reads the service on %s', async (_, start) => {
  const setup = await start()
  try {
    await using kept = await keepService(setup.url)
    const { status: code, out, err } = await chart('status', '--redis', setup.url)
    expect([code, err, out.split('\n')[0]]).toEqual([0, '', 'all well'])
    expect(out).toMatch(/^Redis +127\.0\.0\.1:\d+ +\d\.\d MB used, no limit$/m)
    await kept.growLog(2)
    expect((await chart('status', '--redis', setup.url)).status).toBe(1)
  } finally {
    await setup.close()
  }
})
