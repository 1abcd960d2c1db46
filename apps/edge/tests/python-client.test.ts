import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { hashOfSecret, newApiKey, textOfApiKey } from '@chart/grpc'
import { type BarText, intervalsOf } from '@chart/market'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { killApps, PATIENT, runApp, until, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Servers, startServers } from './fresh-servers.ts'
import { findPythonTools, WATCH_BARS } from './python-tools.ts'
import { TcpRelay } from './tcp-relay.ts'
import { MINUTE_START, TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'
import { startEdge } from './test-edge.ts'

const INTERVALS = intervalsOf(['1m', '5m'])
const SYMBOL = 'AAAUSDT'
/** A trade every so often: six a minute. */
const EVERY_MS = 10_000

const tools = await findPythonTools()
const skipped = 'missing' in tools ? ` (skipped: ${tools.missing})` : ''
if (skipped !== '') console.info(`the Python example is not run${skipped}`)

let servers: Servers
let redis: RedisConnection

beforeAll(async () => {
  if (skipped !== '') return
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
})

afterAll(async () => {
  if ('generated' in tools) await rm(tools.generated, { recursive: true })
  if (skipped !== '') return
  await killApps()
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

/** A line of watch_bars.py, as it should be. */
function lineOf(bar: BarText): string {
  const openTime = new Date(bar.openTime).toISOString().replace('.000Z', 'Z')
  const what = bar.revision === 0 ? 'CLOSED' : 'CORRECTED'
  const { symbol, interval, revision, open, high, low, close, baseVolume, tradeCount } = bar
  return [symbol, interval, openTime, what, revision, open, high, low, close, baseVolume, tradeCount].join(' ')
}

/** Starts the example; `lines` grows as it prints. */
function startExample(port: number, more: readonly string[] = [], env: Record<string, string> = {}) {
  if (!('python' in tools)) throw new Error(tools.missing)
  // The 5m bar in which the market begins has opened before.
  const since = new Date(MINUTE_START - (MINUTE_START % INTERVALS[1]!.intervalMs)).toISOString()
  const intervals = INTERVALS.flatMap(({ name }) => ['--interval', name])
  const args = [WATCH_BARS, SYMBOL, ...intervals, '--since', since, '--address', `127.0.0.1:${port}`, ...more]
  const child = spawn(tools.python, args, { env: { PATH: process.env.PATH, PYTHONPATH: tools.generated, ...env } })
  const said = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    said.out += chunk
  })
  child.stderr.on('data', chunk => {
    said.err += chunk
  })
  return {
    said,
    /** Complete lines, without the average price at their ends. */
    lines: () =>
      said.out
        .split('\n')
        .slice(0, -1)
        .map(line => line.slice(0, line.lastIndexOf(' '))),
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      return (await exited)[0] as number
    },
  }
}

test(`the Python example prints each closed bar and correction once and in order, though its connection is cut and its edge stops${skipped}`, async ({
  skip,
}) => {
  skip(skipped !== '')
  const market = await TestAggregator.open(redis, SYMBOL, INTERVALS)
  await market.register(SYMBOL)
  let last = 0
  const trade = async (count: number) => {
    await market.commit({ [SYMBOL]: tradesOf(last + 1, last + count, EVERY_MS) })
    last += count
  }
  /** A trade of the minute before the last closed one: its bar is restated. */
  const correct = async () => {
    last++
    const late = { ...tradeOf(last, EVERY_MS), tradeTime: tradeOf(last - 15, EVERY_MS).tradeTime }
    await market.commit({ [SYMBOL]: [late] })
  }
  const told = (interval: string) => (market.closed.get(`${SYMBOL} ${interval}`) ?? []).map(lineOf)
  const options = { redisUrl: servers.redis.url, databaseUrl: servers.postgres.url, intervals: INTERVALS }
  await trade(100)

  await using second = await startEdge(options)
  await using stack = new AsyncDisposableStack()
  const first = stack.use(await startEdge(options))
  await using relay = await TcpRelay.open(first.port)
  const example = startExample(relay.port)
  const linesOf = (interval: string) => example.lines().filter(line => line.includes(` ${interval} `))
  const isUpToDate = () => INTERVALS.every(({ name }) => linesOf(name).length === told(name).length)

  await until('it has what was before', isUpToDate)
  await trade(20)
  await correct()
  await until('it follows', isUpToDate)
  expect(relay.cut()).toBe(1)
  await trade(50)
  await until('it has what was missed', isUpToDate)
  await correct()
  await trade(10)
  await until('it follows again', isUpToDate)
  relay.target = second.port
  await stack.disposeAsync()
  await trade(40)
  await until('it goes on at another edge', isUpToDate)
  await trade(10)
  await correct()
  await until('it follows there', isUpToDate)

  for (const { name } of INTERVALS) expect(linesOf(name)).toEqual(told(name))
  expect(linesOf('1m').filter(line => line.includes('CORRECTED')).length).toBe(3)
  expect(example.said.err.match(/UNAVAILABLE: .*; calling again/g)?.length).toBeGreaterThanOrEqual(2)
  expect(await example.stop()).toBe(0)
})

test(`the Python example speaks TLS and shows its key; without one it says what the edge says and ends${skipped}`, async ({
  skip,
}) => {
  skip(skipped !== '')
  const ca = await createTestCa()
  const { cert, key } = await ca.issue('edge')
  const apiKey = newApiKey('python')
  const entry = { id: apiKey.id, sha256: hashOfSecret(apiKey.secret), scopes: ['live', 'history'] }
  await using files = await writeFolder({ ca: ca.cert, cert, key, keys: JSON.stringify([entry]) })
  const edge = runApp('edge', {
    REDIS_URL: servers.redis.url,
    DATABASE_URL: servers.postgres.url,
    INTERVALS: INTERVALS.map(({ name }) => name).join(),
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    GRPC_TLS_CERT_FILE: files.paths.cert,
    GRPC_TLS_KEY_FILE: files.paths.key,
    AUTH: 'on',
    API_KEYS_FILE: files.paths.keys,
  })
  const listening = () => edge.output.text.split('\n').find(line => line.includes('"gRPC listening"'))
  await until('the edge listens', () => listening() !== undefined)
  const { port } = JSON.parse(listening()!) as { port: number }

  const known = startExample(port, ['--ca', files.paths.ca], { CHART_API_KEY: textOfApiKey(apiKey) })
  await until('it has a bar', () => known.lines().length > 0)
  expect(await known.stop()).toBe(0)
  const unknown = startExample(port, ['--ca', files.paths.ca])
  await until('it has ended', () => unknown.said.err.includes('\n'))
  expect(unknown.said).toEqual({ out: '', err: expect.stringMatching(/^UNAUTHENTICATED: .*authorization.*\n$/) })
})
