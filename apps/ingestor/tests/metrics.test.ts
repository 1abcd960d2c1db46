import { type RedisServer, startRedis } from '@chart/servers'
import { until } from '@chart/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ingestor, openRig } from './rig.ts'

/** What an operator sees of feeds at /metrics, while they go well and while they do not. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

/** Value of a series as /metrics shows it; undefined when it is not there. */
async function shownBy({ registry }: Ingestor, series: string): Promise<number | undefined> {
  const line = (await registry.metrics()).split('\n').find(one => one.startsWith(`chart_ingestor_${series} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

/** Above what the simulated exchange's pulse of a second gives, on any machine that runs tests. */
const SILENT_S = 1.7

test('leader and standby have heard the feed; the symbols are counted by who leads, and by what their feed is', async () => {
  await using rig = await openRig(server)
  const ingestors = [await rig.startIngestor(), await rig.startIngestor()]
  await rig.untilState('live')
  await until('both listen', async () => {
    const ages = await Promise.all(ingestors.map(one => shownBy(one, 'feed_age_seconds{shard="0"}')))
    return ages.every(age => age !== undefined && age < SILENT_S)
  })
  const countOf = async (state: string) => {
    const counts = await Promise.all(ingestors.map(one => shownBy(one, `symbols{state="${state}"}`)))
    return counts.map(Number).sort()
  }
  expect(await countOf('live')).toEqual([0, rig.symbols.length])
  // In this order: trades come meanwhile.
  const observed = (await shownBy(ingestors[0]!, 'feed_delay_seconds_count'))!
  expect(observed).toBeGreaterThan(0)
  expect(await shownBy(ingestors[0]!, 'received_trades_total')).toBeGreaterThanOrEqual(observed)
  rig.simulator.halt({ symbol: 'PEPEUSDT' })
  await until('the halt is counted', async () => (await countOf('halted')).at(-1) === 1)
  rig.simulator.stall({ ms: 600_000 })
  await until('both are deaf', async () => {
    const ages = await Promise.all(ingestors.map(one => shownBy(one, 'feed_age_seconds{shard="0"}')))
    return ages.every(age => age! > SILENT_S)
  })
  await until('the symbols are stale', async () => (await countOf('stale')).at(-1) === rig.symbols.length - 1)
})

test('trades that Redis does not take are seen to wait, and what was never counted shows 0', async () => {
  await using rig = await openRig(server)
  const ingestor = await rig.startIngestor()
  await rig.untilState('live')
  expect(await shownBy(ingestor, 'rest_stops_total{status="418"}')).toBe(0)
  expect(await shownBy(ingestor, 'appends_total{result="error"}')).toBe(0)
  await rig.redis.config('SET', 'maxmemory', '1mb')
  await until('trades wait', async () => (await shownBy(ingestor, 'waiting_trades{for="redis"}'))! > 10)
  // The call in which they wait may still be under way.
  await until('an append is refused', async () => (await shownBy(ingestor, 'appends_total{result="error"}'))! > 0)
  await rig.redis.config('SET', 'maxmemory', '0')
  await rig.untilCaughtUp()
  await until('none waits', async () => (await shownBy(ingestor, 'waiting_trades{for="redis"}'))! < 10)
})
