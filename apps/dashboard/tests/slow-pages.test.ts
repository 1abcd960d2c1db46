import { connect, type Socket } from 'node:net'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { freePort, type RedisServer, startRedis } from '@chart/servers'
import { PATIENT, until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { metricOf, startDashboard } from './test-dashboard.ts'
import { MINUTE_START, TestMarket } from './test-market.ts'
import { TestPage } from './test-page.ts'

const MINUTE = 60_000

let redis: RedisServer
let commands: RedisConnection
let edgePort: number

beforeAll(async () => {
  redis = await startRedis()
  commands = await openRedis(redis.url, 'test', PATIENT)
  edgePort = await freePort()
})

afterAll(async () => {
  closeRedis(commands)
  await redis.close()
})

/** A page that asks for a stream and reads nothing of it. */
function openSleepingPage(port: number, series: string): Socket {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write(`GET /api/stream?series=${series} HTTP/1.1\r\nhost: a\r\n\r\n`)
  return socket
}

test('pages that do not read are ended with what waits for them, and hold up no other', async () => {
  const market = await TestMarket.open(commands, 'SLOWUSDT')
  await market.trade([MINUTE_START])
  await using dashboard = await startDashboard({ redis, edgePort })
  const sockets = Array.from({ length: 10 }, () => openSleepingPage(dashboard.port, 'SLOWUSDT:1m'))
  using page = new TestPage(dashboard.port, 'SLOWUSDT:1m')
  const value = (name: string, labels = {}) => metricOf(dashboard.registry, `chart_dashboard_${name}`, labels)
  await until('all are there', async () => (await value('pages')) === 11 && page.count('bar') === 1)
  const countsBefore = await value('written_bytes_total')
  let minute = 1
  await until('those that sleep have been ended', async () => {
    // 900 bars are 360 kB: of a page that does not read some are in buffers of the system, then 1,000 wait here.
    await market.trade(Array.from({ length: 900 }, () => MINUTE_START + minute++ * MINUTE))
    await until('the page that reads has them', () => page.held('SLOWUSDT:1m').at(-1)?.openTime === lastOf(market))
    return (await value('ended_pages_total', { reason: 'slow' })) === 10
  })
  expect(await value('pages')).toBe(1)
  expect(page.connections).toBe(1)
  expect(page.held('SLOWUSDT:1m')).toEqual(market.all('1m'))
  // Nothing more is written to those that were ended.
  const bytes = (await value('written_bytes_total')) - countsBefore
  await market.trade([MINUTE_START + minute * MINUTE])
  await until('the page that reads has it', () => page.held('SLOWUSDT:1m').at(-1)?.openTime === lastOf(market))
  expect((await value('written_bytes_total')) - countsBefore - bytes).toBeLessThan(2_000)
  for (const socket of sockets) socket.destroy()
})

test('of live bars a page that does not read is kept the newest only, and it is ended after its time', async () => {
  const market = await TestMarket.open(commands, 'LAZYUSDT')
  await market.trade([MINUTE_START])
  await using dashboard = await startDashboard({ redis, edgePort }, { slowPageMaxMs: 2_000 })
  const value = (name: string, labels = {}) => metricOf(dashboard.registry, `chart_dashboard_${name}`, labels)
  const socket = openSleepingPage(dashboard.port, 'LAZYUSDT:1m')
  await until('it is there', async () => (await value('pages')) === 1)
  let minute = 1
  await until('it is blocked', async () => {
    await market.trade(Array.from({ length: 300 }, () => MINUTE_START + minute++ * MINUTE))
    const bytes = await value('written_bytes_total')
    await market.trade([MINUTE_START + (minute - 1) * MINUTE + 1])
    await new Promise(resolve => setTimeout(resolve, 40))
    return (await value('written_bytes_total')) === bytes
  })
  const merged = await value('merged_live_bars_total')
  for (let trade = 2; trade < 12; trade++) {
    await market.trade([MINUTE_START + (minute - 1) * MINUTE + trade])
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  expect(await value('merged_live_bars_total')).toBeGreaterThan(merged)
  await until('its time is over', async () => (await value('ended_pages_total', { reason: 'slow' })) === 1)
  expect(await value('pages')).toBe(0)
  socket.destroy()
})

test('an answer that is not read is given up after a time, while a quiet stream stays', async () => {
  await TestMarket.open(commands, 'CALMUSDT').then(market => market.trade([MINUTE_START]))
  // More than the system's buffers take.
  const files = { 'large.bin': 'x'.repeat(32 * 1024 * 1024) }
  await using dashboard = await startDashboard({ redis, edgePort }, { slowPageMaxMs: 1_000, files })
  using page = new TestPage(dashboard.port, 'CALMUSDT:1m')
  await until('the page follows', () => page.count('bar') === 1)
  const socket = connect(dashboard.port, '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write('GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n')
  const ofFiles = () => metricOf(dashboard.registry, 'chart_dashboard_http_requests_total', { route: 'file' })
  await until('it was given up', async () => (await ofFiles()) === 1)
  const feeds = page.count('feed')
  await until('the stream goes on', () => page.count('feed') > feeds)
  expect(page.connections).toBe(1)
  socket.destroy()
})

function lastOf(market: TestMarket): number {
  return market.live('1m')!.openTime
}
