import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { freePort, type RedisServer, startRedis } from '@chart/servers'
import { killApps, PATIENT, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { MINUTE_START, TestMarket } from './test-market.ts'
import { TestPage } from './test-page.ts'

let redis: RedisServer
let commands: RedisConnection

beforeAll(async () => {
  redis = await startRedis()
  commands = await openRedis(redis.url, 'test', PATIENT)
  const market = await TestMarket.open(commands, 'BTCUSDT')
  await market.trade([MINUTE_START])
})

afterAll(async () => {
  closeRedis(commands)
  await redis.close()
})

afterEach(killApps)

async function startProcess(env: Record<string, string> = {}) {
  const app = runApp('dashboard', {
    REDIS_URL: redis.url,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '0',
    CHART_ADDRESS: `127.0.0.1:${await freePort()}`,
    ...env,
  })
  const portIn = async (message: string): Promise<number> => {
    const lineOf = () => app.output.text.split('\n').find(line => line.includes(`"${message}"`))
    await until(`the process says ${message}`, () => lineOf() !== undefined || app.child.exitCode !== null)
    return JSON.parse(lineOf() ?? '{}').port
  }
  return { ...app, portIn }
}

test('the built page is served, and so are its scripts', async () => {
  const app = await startProcess()
  const port = await app.portIn('HTTP listening')
  const html = await (await fetch(`http://127.0.0.1:${port}/`)).text()
  const [, script] = /<script [^>]*src="\.?(\/[^"]+)"/.exec(html)!
  const answer = await fetch(`http://127.0.0.1:${port}${script}`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=/)
})

test('it is ready only when the page is served, not while its files are still being read', async () => {
  const httpPort = await freePort()
  const app = await startProcess({ HTTP_PORT: String(httpPort) })
  const healthPort = await app.portIn('health endpoints listening')
  await until('it is ready', async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === 200)
  expect((await fetch(`http://127.0.0.1:${httpPort}/`)).status).toBe(200)
})

test('SIGTERM: not ready, no new connections, streams end over a second, and the process with 0', async () => {
  const app = await startProcess()
  const port = await app.portIn('HTTP listening')
  const healthPort = await app.portIn('health endpoints listening')
  const ready = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status
  await until('it is ready', async () => (await ready()) === 200)
  const pages = Array.from({ length: 20 }, () => new TestPage(port, 'BTCUSDT:1m'))
  await until('all follow', () => pages.every(page => page.count('bar') > 0))
  const idle = await fetch(`http://127.0.0.1:${port}/api/symbols`, { keepalive: true })
  await idle.text()
  app.child.kill('SIGTERM')
  await until('it is not ready, or gone', async () => (await ready().catch(() => 503)) === 503)
  expect(await app.exited).toBe(0)
  const endTimes = pages.flatMap(page => page.endTimes).sort((a, b) => a - b)
  expect(endTimes.length).toBe(20)
  // Nineteen twentieths of a second, and whatever a busy machine makes of it.
  expect(endTimes.at(-1)! - endTimes[0]!).toBeGreaterThan(500)
  expect(app.output.text).toContain('"stopped"')
  expect(app.output.text).not.toMatch(/"level":[56]0/)
  for (const page of pages) page[Symbol.dispose]()
})

test('where others can reach it, it is not ready from SIGTERM on and serves all the same until that is known', async () => {
  const app = await startProcess({ HTTP_HOST: '0.0.0.0' })
  const port = await app.portIn('HTTP listening')
  const healthPort = await app.portIn('health endpoints listening')
  using page = new TestPage(port, 'BTCUSDT:1m')
  await until('the page follows', () => page.count('bar') > 0)
  app.child.kill('SIGTERM')
  await until('it is not ready', async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === 503)
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  expect(page.endTimes).toEqual([])
  expect(await app.exited).toBe(0)
  expect(page.endTimes.length).toBe(1)
})

test('a port that is taken is named, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await until('the port is taken', () => server.listening)
  const { port } = server.address() as AddressInfo
  const app = await startProcess({ HTTP_PORT: String(port) })
  expect(await app.exited).toBe(1)
  expect(app.output.text).toContain(`HTTP port 127.0.0.1:${port} is in use; set HTTP_PORT to a free one`)
  server.close()
})

test('while Redis is away requests are told to come back, and streams go on when it is back', async () => {
  const own = await startRedis()
  const client = await openRedis(own.url, 'test', PATIENT)
  const market = await TestMarket.open(client, 'ETHUSDT')
  await market.trade([MINUTE_START])
  await market.setFeed('halted')
  const app = await startProcess({ REDIS_URL: own.url })
  const port = await app.portIn('HTTP listening')
  using page = new TestPage(port, 'ETHUSDT:1m')
  await until('the page follows', () => page.count('bar') > 0 && page.feeds.get('ETHUSDT')?.state === 'halted')
  await client.call('CLIENT', 'PAUSE', '7000', 'ALL').catch(() => undefined)
  await until('nothing is known of the feed any more', () => page.feeds.get('ETHUSDT')?.state === 'stale')
  const answer = await fetch(`http://127.0.0.1:${port}/api/stream?series=NEWUSDT:1m`)
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { error: 'bars cannot be read just now; try again in a few seconds' },
  ])
  await market.trade([MINUTE_START + 60_000])
  await until('the page goes on', () => page.held('ETHUSDT:1m').at(-1)?.openTime === MINUTE_START + 60_000)
  expect(page.connections).toBe(1)
  closeRedis(client)
  await own.close()
})
