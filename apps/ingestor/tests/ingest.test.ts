import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisConnection, tagOf } from '@chart/redis'
import { type RedisServer, startRedis } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectLogsRight, expectWatermarksRight, openRig } from './rig.ts'

/** What an ingestor writes while nothing goes wrong. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

const MINUTE_MS = 60_000

test('the logs hold every trade of the exchange from the beginning of the minute on, in order and once', async () => {
  await using rig = await openRig(server)
  const startTime = rig.simulator.now()
  await rig.startIngestor()
  await until('trades of three seconds', () => rig.simulator.now() > startTime + 3_000)
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  for (const symbol of rig.symbols) {
    const { blocks, trades } = logged.get(symbol)!
    const { sinceTime, lastTradeId } = blocks[0]!.seed!
    expect(sinceTime % MINUTE_MS).toBe(0)
    expect(sinceTime).toBeLessThanOrEqual(rig.simulator.now())
    expect(trades[0]!.tradeTime).toBeGreaterThanOrEqual(sinceTime)
    const [before] = await rig.rest.historicalTrades(symbol, lastTradeId, 1)
    expect(before!.tradeTime).toBeLessThan(sinceTime)
    expect(expectWatermarksRight(logged.get(symbol)!)).toBeGreaterThan(0)
  }
})

test('an ingestor that comes back later goes on where the logs stand, with the trades that it missed', async () => {
  await using rig = await openRig(server)
  const first = await rig.startIngestor()
  await rig.untilState('live')
  await first.stop()
  const stoppedTime = rig.simulator.now()
  const head = await rig.head('BTCUSDT')
  await until('some trades are missed', () => rig.simulator.now() > stoppedTime + 1_500)
  expect(await rig.head('BTCUSDT')).toBe(head)
  const second = await rig.startIngestor()
  await rig.untilState('live')
  await rig.untilCaughtUp()
  expect((await second.metrics.backfilled.get()).values[0]!.value).toBeGreaterThan(0)
  await expectLogsRight(rig, server.url)
})

test('hundreds of symbols over all partitions and several shards are logged side by side', async () => {
  const symbols = ['BTCUSDT', ...Array.from({ length: 299 }, (_, index) => `SYM${index}USDT`)]
  await using rig = await openRig(server, { symbols, partitions: 32, market: { tradesPerSecond: 600 } })
  await rig.startIngestor({ partitions: 32, feedShards: 3 })
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  expect(new Set(await Promise.all(symbols.map(rig.tagOf))).size).toBe(32)
  for (const symbol of symbols) expectWatermarksRight(logged.get(symbol)!)
})

/** `redis` that says late where the log of one partition stands. */
function tellingLate(redis: RedisConnection, headsKey: string): RedisConnection {
  const hmget = async (key: string, ...fields: string[]) => {
    if (key === headsKey) await sleep(100)
    return redis.hmget(key, ...fields)
  }
  return new Proxy(redis, { get: (of, name) => (name === 'hmget' ? hmget : Reflect.get(of, name)) })
}

test('of too many symbols at a first start the most traded have a whole first minute, the others say that theirs is not', async () => {
  const symbols = Array.from({ length: 30 }, (_, index) => `SYM${index}USDT`)
  const partitions = 4
  await using rig = await openRig(server, { symbols, partitions, market: { tradesPerSecond: 100, burstiness: 0 } })
  // For ten: the simulated market trades the first ones most. The partition of the very first is known last.
  const headsKey = `heads:${tagOf(symbols[0]!, partitions)}`
  await rig.startIngestor({ firstBarsWeightMax: 290, redis: tellingLate(rig.redis, headsKey) })
  await rig.untilState('live')
  await rig.untilCaughtUp()
  const logged = await expectLogsRight(rig, server.url)
  const sinceTimeOf = (symbol: string) => logged.get(symbol)!.blocks[0]!.seed!.sinceTime
  const minuteOf = (time: number) => time - (time % MINUTE_MS)
  const startTime = Math.min(...symbols.map(sinceTimeOf))
  const whole = symbols.filter(symbol => sinceTimeOf(symbol) === minuteOf(startTime))
  expect(whole).toEqual(symbols.slice(0, 10))
  for (const symbol of symbols) {
    const { blocks } = logged.get(symbol)!
    const { lastTradeId, sinceTime } = blocks[0]!.seed!
    const [before] = await rig.rest.historicalTrades(symbol, lastTradeId, 1)
    expect(before!.tradeTime).toBeLessThan(sinceTime)
  }
})

test('symbols that are silent or never had a trade hold up no other, and the silent get watermarks', async () => {
  const rates = { BTCUSDT: 20, ETHUSDT: 0.01, PEPEUSDT: 0 }
  await using rig = await openRig(server, { market: { rates } })
  await rig.startIngestor()
  await rig.untilState('live', ['BTCUSDT', 'ETHUSDT'])
  await rig.untilCaughtUp()
  await until('a watermark of the silent', async () => {
    const feed = await rig.redis.hgetall(`feed:${await rig.tagOf('ETHUSDT')}:ETHUSDT`)
    return Number(feed.watermark) > Number(feed.lastTradeTime ?? 0) && Number(feed.watermark) > 0
  })
  expect(await rig.head('PEPEUSDT')).toBeUndefined()
  expect(await rig.stateOf('PEPEUSDT')).toBe('backfilling')
})

test('a stop ends the work and every connection, with what had been received in the logs', async () => {
  await using rig = await openRig(server)
  const ingestor = await rig.startIngestor()
  await rig.untilState('live')
  await ingestor.stop()
  const head = await rig.head('BTCUSDT')
  await until('the sockets are gone', () => rig.simulator.status().connections === 0)
  const clients = String(await rig.redis.client('LIST'))
  expect(clients.match(/name=(ingestor|leader-lock)/g)).toBeNull()
  expect(await rig.redis.get('lease:feed:0')).toBeNull()
  expect(await rig.head('BTCUSDT')).toBe(head)
})
