import { type ExchangeSimulator, startExchangeSimulator } from '@chart/exchange-simulator'
import { openRedis, type RedisConnection } from '@chart/redis'
import { freePort, type RedisServer, startRedis } from '@chart/servers'
import { killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

/** What an operator sees of an ingestor that cannot start: one clear line, and an exit code. */

let server: RedisServer
let redis: RedisConnection
let simulator: ExchangeSimulator
beforeAll(async () => {
  ;[server, simulator] = await Promise.all([startRedis(), startExchangeSimulator()])
  redis = await openRedis(server.url, 'test')
})
beforeEach(async () => {
  await redis.flushall()
})
afterEach(killApps)
afterAll(async () => {
  redis.disconnect()
  await Promise.all([server.close(), simulator.close()])
})

const run = (env: Record<string, string> = {}) =>
  runApp('ingestor', {
    REDIS_URL: server.url,
    BINANCE_API_URL: simulator.url,
    BINANCE_STREAM_URL: simulator.streamUrl,
    PARTITIONS: '8',
    FEED_SHARDS: '1',
    ...env,
  })

/** Exit code of a process that gives up, and the line that it leaves for people. */
async function refusalOf(env: Record<string, string>): Promise<{ code: number | null; line: string | undefined }> {
  const { exited, output } = run(env)
  const code = await exited
  return { code, line: output.text.split('\n').find(line => line.startsWith('ingestor: ')) }
}

test('a symbol that the exchange does not have is named', async () => {
  const { code, line } = await refusalOf({ SYMBOLS: 'BTCUSDT,NOSUCHUSDT' })
  expect(code).toBe(1)
  expect(line).toBe('ingestor: the exchange has no symbol "NOSUCHUSDT"')
})

test('a symbol in lower case, and a number of partitions that is none, are named before anything is opened', async () => {
  expect(await refusalOf({ SYMBOLS: 'btcusdt' })).toEqual({
    code: 1,
    line: 'ingestor: SYMBOLS has "btcusdt"; a symbol is upper case such as BTCUSDT',
  })
  expect(await refusalOf({ PARTITIONS: 'many' })).toEqual({
    code: 1,
    line: 'ingestor: PARTITIONS must be a whole number from 1 to 100, not "many"',
  })
})

test('a Redis that is not there is named, with what to do', async () => {
  const port = await freePort()
  const { code, line } = await refusalOf({ REDIS_URL: `redis://127.0.0.1:${port}` })
  expect(code).toBe(1)
  expect(line).toContain(`cannot reach Redis at 127.0.0.1:${port}`)
  expect(line).toContain('start it or set REDIS_URL')
})

test('a Redis that may throw keys away is refused', async () => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  try {
    const { code, line } = await refusalOf({})
    expect(code).toBe(1)
    expect(line).toContain('maxmemory-policy allkeys-lru')
  } finally {
    await redis.config('SET', 'maxmemory-policy', 'noeviction')
  }
})

test('another number of partitions than before is refused, and settles no new symbol where it does not belong', async () => {
  const first = run({ SYMBOLS: 'ETHUSDT' })
  await until('it leads', () => first.output.text.includes('"leading"'))
  first.child.kill('SIGTERM')
  expect(await first.exited).toBe(0)
  const { code, line } = await refusalOf({ SYMBOLS: 'BTCUSDT,ETHUSDT', PARTITIONS: '7' })
  expect(code).toBe(1)
  expect(line).toContain('ETHUSDT belongs to partition {p00} in Redis and to {p05} with PARTITIONS=7')
  expect(line).toContain('set PARTITIONS as it was, or start with an empty Redis')
  expect(await redis.hkeys('symbols')).toEqual(['ETHUSDT'])
})

test('an exchange that is not there yet is waited for, with a line that says so, and a stop is obeyed meanwhile', async () => {
  const port = await freePort()
  const waiting = run({ BINANCE_API_URL: `http://127.0.0.1:${port}`, BINANCE_STREAM_URL: `ws://127.0.0.1:${port}` })
  await until('it says so', () => waiting.output.text.includes('the exchange did not answer, asking again'))
  expect(waiting.output.text).toContain('ECONNREFUSED')
  waiting.child.kill('SIGTERM')
  expect(await waiting.exited).toBe(0)
})

test('an exchange that comes later is taken up', async () => {
  const port = await freePort()
  const waiting = run({ BINANCE_API_URL: `http://127.0.0.1:${port}`, BINANCE_STREAM_URL: `ws://127.0.0.1:${port}` })
  await until('it waits', () => waiting.output.text.includes('asking again'))
  await using late = await startExchangeSimulator({ port })
  await until('it is heard', () => waiting.output.text.includes('"feed connected"'))
  await until('it writes', async () => (await redis.keys('log:*')).length > 0)
  expect(late.status().connections).toBe(1)
})

test('a Redis that goes away before the symbols are registered is named, with what to do', async () => {
  const port = await freePort()
  const waiting = run({ BINANCE_API_URL: `http://127.0.0.1:${port}`, BINANCE_STREAM_URL: `ws://127.0.0.1:${port}` })
  await until('it waits for the exchange', () => waiting.output.text.includes('asking again'))
  await server.kill('SIGSTOP')
  try {
    await using _late = await startExchangeSimulator({ port })
    expect(await waiting.exited).toBe(1)
  } finally {
    await server.kill('SIGCONT')
  }
  const line = 'ingestor: cannot reach Redis to register the symbols: Command timed out; start it or set REDIS_URL'
  expect(waiting.output.text).toContain(line)
})
