import { once } from 'node:events'
import { createServer } from 'node:net'
import { openChartClient } from '@chart/client'
import { openBarClient } from '@chart/grpc'
import { intervalsOf } from '@chart/market'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { freePort } from '@chart/servers'
import { PATIENT, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { killEdges, startEdgeProcess, urlsOf } from './edge-process.ts'
import { Subscription } from './followed-series.ts'
import { type Servers, startServers } from './fresh-servers.ts'
import { TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'

let servers: Servers
let redis: RedisConnection

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
})

afterAll(async () => {
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

afterEach(killEdges)

const startProcess = (env: Record<string, string> = {}) => startEdgeProcess({ ...urlsOf(servers), ...env })

test('SIGTERM ends open streams with UNAVAILABLE and the process with 0', async () => {
  const market = await TestAggregator.open(redis, 'AAAUSDT', intervalsOf(['1s', '1m']))
  await market.register('AAAUSDT')
  await market.commit({ AAAUSDT: [tradeOf(1)] })
  const edge = startProcess()
  using client = openBarClient(`127.0.0.1:${await edge.portIn('gRPC listening')}`)
  await using subscription = new Subscription(client, { symbols: ['AAAUSDT'], intervals: ['1m'] })
  await subscription.until(() => subscription.events.length === 1)
  await market.commit({ AAAUSDT: tradesOf(2, 10) })
  await subscription.untilTrade('AAAUSDT 1m', 10)
  edge.process.kill('SIGTERM')
  await subscription.ended()
  expect(subscription.error).toMatchObject({ code: 14, details: 'this edge is stopping; call again' })
  expect(await edge.exited).toBe(0)
  expect(edge.linesOf().some(line => line.includes('"stopped"'))).toBe(true)
  expect(edge.linesOf().filter(line => /"level":[56]0/.test(line))).toEqual([])
})

test('neither Redis nor PostgreSQL makes an edge that has started unready: it has clients to keep', async () => {
  const edge = startProcess()
  const health = `http://127.0.0.1:${await edge.portIn('health endpoints listening')}`
  expect((await fetch(`${health}/readyz`)).status).toBe(200)
  await servers.postgres.kill()
  expect((await fetch(`${health}/readyz`)).status).toBe(200)
  await servers.postgres.restart()
  await servers.redis.kill()
  await using client = await openChartClient({
    address: `127.0.0.1:${await edge.portIn('gRPC listening')}`,
    connectWithinMs: 0,
  })
  await expect(client.symbols()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect((await fetch(`${health}/readyz`)).status).toBe(200)
  expect((await fetch(`${health}/livez`)).status).toBe(200)
  await servers.redis.restart()
  await until('it serves again', async () => (await client.symbols()).length >= 0)
  expect(await (await fetch(`${health}/metrics`)).text()).toContain('chart_edge_streams')
})

/** Whose message names what is wrong, where, and what to do, in one line; the process does not run. */
async function expectRefusal(env: Record<string, string>, message: RegExp): Promise<void> {
  const edge = startProcess(env)
  expect(await edge.exited).toBe(1)
  // Standard error has the one line for a person; the log on standard output is for machines.
  const lines = edge.linesOf().filter(line => !line.startsWith('{'))
  expect(lines).toEqual([expect.stringMatching(message)])
  expect(lines[0]).not.toContain('secret')
}

test.each([
  [{ GRPC_PORT: 'fifty' }, /^edge: GRPC_PORT must be a whole number from 0 to 65535, not "fifty"$/],
  [{ GRPC_PORT: '70000' }, /^edge: GRPC_PORT must be a whole number from 0 to 65535, not "70000"$/],
  [{ REDIS_URL: 'http://localhost' }, /^edge: REDIS_URL cannot be used: wanted redis:\/\/host:port/],
  [{ DATABASE_URL: 'nonsense' }, /^edge: DATABASE_URL must be a URL such as postgres:\/\/host:port/],
  [{ INTERVALS: '1s,7m' }, /^edge: INTERVALS "1s,7m" cannot be used: unknown interval "7m"/],
])('with %j it ends at once, with the variable and the wanted form', expectRefusal)

test('a gRPC port in use ends it with the port and the variable', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  try {
    const message = new RegExp(`gRPC port 127.0.0.1:${port} cannot be used .*EADDRINUSE.*; set GRPC_PORT to a free one`)
    await expectRefusal({ GRPC_PORT: String(port) }, message)
  } finally {
    other.close()
  }
})

test('a health port in use ends it with the port and the variable', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  try {
    await expectRefusal(
      { HEALTH_PORT: String(port) },
      new RegExp(`health port 127.0.0.1:${port} is in use; set HEALTH_PORT`),
    )
  } finally {
    other.close()
  }
})

test('an unreachable Redis ends it with the place and the variable', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`
  await expectRefusal({ REDIS_URL: url }, /cannot reach Redis at 127.0.0.1:\d+: .*ECONNREFUSED.*set REDIS_URL/)
})

test('an unreachable PostgreSQL is one line with the place and the variable, and does not end it', async () => {
  const url = `postgres://postgres:secret@127.0.0.1:${await freePort()}/postgres`
  const edge = startProcess({ DATABASE_URL: url })
  const said = () => edge.linesOf().find(line => line.includes('no history until PostgreSQL answers'))
  await until('it says so', () => said() !== undefined)
  expect(said()).toMatch(/cannot reach PostgreSQL at 127.0.0.1:\d+\/postgres: .*set DATABASE_URL/)
  expect(said()).not.toContain('secret')
  const health = `http://127.0.0.1:${await edge.portIn('health endpoints listening')}`
  expect((await fetch(`${health}/readyz`)).status).toBe(200)
})
