import { setTimeout as sleep } from 'node:timers/promises'
import { redisCommand, startRedis, startRedisCluster } from '@chart/servers'
import { PATIENT, until } from '@chart/testkit'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { closeRedis, feedLeaseKey, openLeaderLock, openRedis } from '../src/index.ts'
import { type MasterSource, masterConnector } from '../src/master-connector.ts'
import { startTopology, type Topology } from './topology.ts'
import { claimsRunTwice, idsInLog, startTraffic, type Traffic } from './traffic.ts'

/** A master is lost, hangs, or takes its last writes with it: everything recovers by itself, and no command runs twice. */

const TAG = '{p07}'
/** More than the buffers of a socket hold: what is written after it stays in the master, which takes it along. */
const JUNK_BYTES = 32 * 1024 * 1024

async function untilUnderWay(traffic: Traffic): Promise<void> {
  await until('traffic is under way', () => traffic.appended > 20 && traffic.committed > 20 && traffic.heard > 20)
}

/** Waits until trades are appended, folded and heard anew; then checks the log and the commands. */
async function expectGoingOn(topology: Topology, traffic: Traffic): Promise<void> {
  const from = { appended: traffic.appended, committed: traffic.committed }
  await until('trades are appended', () => traffic.appended > from.appended + 20)
  await until('they are folded', () => traffic.committed > from.committed + 20)
  const { committed } = traffic
  await until('their updates are heard', () => traffic.heard > committed)
  await traffic.stop()
  const ids = await idsInLog(topology.url, TAG)
  // A long run has its oldest entries trimmed.
  expect(ids).toEqual(ids.map((_, index) => ids[0]! + index))
  expect(ids.at(-1)).toBeGreaterThanOrEqual(traffic.appended)
  expect(claimsRunTwice(traffic)).toBe(0)
}

describe.each(['Sentinel', 'a cluster'] as const)('with %s', name => {
  test('a master that is killed is replaced', async () => {
    await using topology = await startTopology(name)
    await using traffic = await startTraffic(topology.url, TAG)
    await untilUnderWay(traffic)
    const master = await topology.masterOf(TAG)
    await master.kill()
    await until('another is the master', async () => (await topology.masterOf(TAG)) !== master)
    await until('the subscriber was told', () => traffic.reconnects > 0)
    await expectGoingOn(topology, traffic)
  })

  test('a master that hangs is replaced, and what it does when it wakes changes nothing', async () => {
    await using topology = await startTopology(name)
    await using traffic = await startTraffic(topology.url, TAG)
    await untilUnderWay(traffic)
    const master = await topology.masterOf(TAG)
    await master.kill('SIGSTOP')
    await until('another is the master', async () => (await topology.masterOf(TAG)) !== master)
    await until('the subscriber was told', () => traffic.reconnects > 0)
    const { committed } = traffic
    await until('its work goes on', () => traffic.committed > committed + 20)
    await master.kill('SIGCONT')
    await until('it has become a replica', async () =>
      (await redisCommand(master.port, 'INFO replication')).includes('role:slave'),
    )
    await expectGoingOn(topology, traffic)
  })

  test('what only the lost master had is written again', async () => {
    await using topology = await startTopology(name)
    await using traffic = await startTraffic(topology.url, TAG)
    await untilUnderWay(traffic)
    const master = await topology.masterOf(TAG)
    const replica = topology.replicaOf(master)
    await replica.kill('SIGSTOP')
    const redis = await openRedis(topology.url, 'test', PATIENT)
    await redis.set(`junk:${TAG}`, Buffer.alloc(JUNK_BYTES))
    closeRedis(redis)
    const { committed } = traffic
    await until('the master has gone on alone', () => traffic.committed > committed + 20)
    const lost = traffic.committed
    await master.kill()
    await replica.kill('SIGCONT')
    await until('another is the master', async () => (await topology.masterOf(TAG)) !== master)
    const pos = Number((await redisCommand(replica.port, `HGET position:${TAG} pos`)).split('\r\n')[1])
    expect(pos, 'the replica has fallen back').toBeLessThan(lost)
    await expectGoingOn(topology, traffic)
  })

  test('a lease ends while its master hangs, without hanging its holder, and is taken on the next', async () => {
    await using topology = await startTopology(name)
    await using lock = openLeaderLock({ url: topology.url, key: feedLeaseKey(0) })
    await using other = openLeaderLock({ url: topology.url, key: feedLeaseKey(0) })
    await until('it is held', () => lock.acquire())
    expect(await lock.extend()).toBe(true)
    expect(await other.acquire()).toBe(false)
    const master = await topology.masterOf('lease:feed:0')
    await master.kill('SIGSTOP')
    // Each answers while the master hangs.
    await until('it has run out', async () => !(await lock.extend()))
    expect(await other.acquire()).toBe(false)
    await until('the other has it, on the next master', () => other.acquire())
    expect(await other.extend()).toBe(true)
    expect(await lock.acquire()).toBe(false)
    await other.release()
    await until('it is free', () => lock.acquire())
    await master.kill()
  })
})

test('a slot that moves to another node is followed by commands, reader and subscriber', async () => {
  await using cluster = await startRedisCluster()
  await using traffic = await startTraffic(cluster.url, TAG)
  await untilUnderWay(traffic)
  const from = await cluster.masterOf(TAG)
  const to = cluster.nodes.find(node => node !== from)!
  const slot = (await redisCommand(from.port, `CLUSTER KEYSLOT ${TAG}`)).slice(1).trim()
  await redisCommand(to.port, `CLUSTER SETSLOT ${slot} IMPORTING ${await cluster.idOf(from)}`)
  await redisCommand(from.port, `CLUSTER SETSLOT ${slot} MIGRATING ${await cluster.idOf(to)}`)
  for (;;) {
    const keys = (await redisCommand(from.port, `CLUSTER GETKEYSINSLOT ${slot} 100`)).match(/^[a-z]+:.*$/gm) ?? []
    if (keys.length === 0) break
    for (const key of keys) await redisCommand(from.port, `MIGRATE 127.0.0.1 ${to.port} ${key.trim()} 0 5000`)
    await sleep(1)
  }
  for (const node of [to, from, ...cluster.nodes.filter(one => one !== from && one !== to)]) {
    await redisCommand(node.port, `CLUSTER SETSLOT ${slot} NODE ${await cluster.idOf(to)}`)
  }
  await until('the subscriber was told', () => traffic.reconnects > 0)
  const at = traffic.committed
  await until('it goes on', () => traffic.committed > at + 20 && traffic.heard > at + 20)
  await traffic.stop()
  const ids = await idsInLog(cluster.url, TAG)
  expect(ids).toEqual(ids.map((_, index) => ids[0]! + index))
  expect(claimsRunTwice(traffic)).toBe(0)
})

test('a master that only its witnesses have lost is left, when two agree', async () => {
  await using one = await startRedis()
  await using other = await startRedis()
  const places = [one, other].map(({ port }) => ({ host: '127.0.0.1', port }))
  const named = new Map(places.map(place => [place.port, places[0]!]))
  const source: MasterSource = {
    what: 'the master',
    witnesses: places,
    ask: async witness => ({ master: named.get(witness.port), witnesses: places }),
  }
  const redis = new Redis({ Connector: masterConnector(source) })
  redis.on('error', () => undefined)
  const asked = vi.spyOn(source, 'ask')
  await redis.set('name', 'one')
  named.set(other.port, places[1]!)
  const before = asked.mock.calls.length
  await until('both were asked, twice', () => asked.mock.calls.length >= before + 4)
  expect(await redis.get('name')).toBe('one')
  named.set(one.port, places[1]!)
  await until('it has left', async () => (await redis.get('name')) === null)
  redis.disconnect()
})
