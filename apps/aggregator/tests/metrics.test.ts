import { type RedisServer, startRedis } from '@chart/servers'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { OpenReader } from '../src/partition-worker.ts'
import { type Aggregator, openRig, untilOwnedBy, untilReached } from './rig.ts'

/** What an operator sees of an aggregator's share at /metrics. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterEach(killApps)
afterAll(() => server.close())

async function shownBy({ registry }: Aggregator, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find(one => one.startsWith(`chart_aggregator_${series} `))
  return Number(line?.split(' ').at(-1))
}

/** One that is never opened, until its partition is let go. */
const noReader: OpenReader = (_, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

test('symbols are counted by their owner, and move with their partitions', async () => {
  await using rig = await openRig(server)
  await rig.register()
  const one = await rig.startAggregator('one')
  expect(await shownBy(one, 'commits_total{result="error"}')).toBe(0)
  await until('it has them all', async () => (await shownBy(one, 'owned_symbols')) === rig.symbols.length)
  const two = await rig.startAggregator('two')
  const counts = async () => [await shownBy(one, 'owned_symbols'), await shownBy(two, 'owned_symbols')] as const
  await until('each has its share', async () => {
    const [first, second] = await counts()
    return second > 0 && first + second === rig.symbols.length
  })
  await one.stop()
  await until('the other has them all', async () => (await shownBy(two, 'owned_symbols')) === rig.symbols.length)
})

test('entries that are in no bar yet are counted while nothing is read, and gone when it is caught up', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const stuck = await rig.startAggregator('stuck', { openReader: noReader })
  await until('entries gather', async () => (await shownBy(stuck, 'log_lag_entries')) > 20)
  await stuck.stop()
  const one = await rig.startAggregator('one')
  await untilOwnedBy(rig, ['one'])
  await untilReached(rig, 1)
  await until('it has caught up', async () => (await shownBy(one, 'log_lag_entries')) < 5)
})

test('without Redis the last values stay, and the other metrics are told', async () => {
  await using rig = await openRig(server)
  await rig.register()
  const one = await rig.startAggregator('one')
  await until('it has them all', async () => (await shownBy(one, 'owned_symbols')) === rig.symbols.length)
  await server.kill()
  expect(await shownBy(one, 'owned_symbols')).toBe(rig.symbols.length)
  expect(await shownBy(one, 'commits_total{result="ok"}')).toBe(0)
  await server.restart()
})
