import { rankMembers } from '@chart/market'
import { type RedisServer, startRedis } from '@chart/servers'
import { killApps, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { OpenReader } from '../src/partition-worker.ts'
import { expectBarsRight, leaseKeyOf, openRig, type Rig, tokenOf, trade, untilOwnedBy } from './rig.ts'

/** Several aggregators share the partitions: each has one owner, and whatever becomes of it, another goes on. */

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterEach(killApps)
afterAll(() => server.close())

const MANY = Array.from({ length: 200 }, (_, index) => `SYM${index}USDT`)

/** Waits until each partition belongs to the member that ranks first for it. */
async function untilShared(rig: Rig, members: readonly string[]): Promise<Map<string, string>> {
  await until(`shared among ${members}`, async () => {
    const owners = await rig.owners()
    return owners.size > 0 && [...owners].every(([tag, owner]) => owner === rankMembers(tag, members)[0])
  })
  return (await rig.owners()) as Map<string, string>
}

const ownedCount = async ({ metrics }: { metrics: { owned: { get(): Promise<{ values: { value: number }[] }> } } }) =>
  (await metrics.owned.get()).values[0]!.value

test('every partition has exactly one owner, and a member that joins or leaves moves its own share only', async () => {
  await using rig = await openRig(server, { symbols: MANY, partitions: 32 })
  await rig.register()
  expect(await rig.tags()).toHaveLength(32)
  const one = await rig.startAggregator('one')
  const two = await rig.startAggregator('two')
  const before = await untilShared(rig, ['one', 'two'])
  await until('each works on its share', async () => (await ownedCount(one)) + (await ownedCount(two)) === 32)
  const tokens = await tokensOf(rig)

  const three = await rig.startAggregator('three')
  const after = await untilShared(rig, ['one', 'two', 'three'])
  await until('the sum is whole', async () => {
    const counts = await Promise.all([one, two, three].map(ownedCount))
    return counts.every(count => count > 0) && counts.reduce((sum, count) => sum + count) === 32
  })
  for (const [tag, token] of await tokensOf(rig)) {
    expect(token === tokens.get(tag), tag).toBe(after.get(tag) !== 'three')
    if (after.get(tag) !== 'three') expect(after.get(tag)).toBe(before.get(tag))
  }

  await three.stop()
  expect(await untilShared(rig, ['one', 'two'])).toEqual(before)
})

test('a member that stops hands over at once: its leases are gone when it is', async () => {
  await using rig = await openRig(server, { symbols: MANY, partitions: 32 })
  await rig.register()
  const one = await rig.startAggregator('one')
  await rig.startAggregator('two')
  await untilShared(rig, ['one', 'two'])
  await one.stop()
  const left = [...(await rig.owners()).values()]
  expect(left).not.toContain('one')
  expect(await rig.redis.zrange('members:aggregator', '0', '-1')).toEqual(['two'])
  await untilShared(rig, ['two'])
})

test('a member that is killed loses its partitions to the others, and no trade with them', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const doomed = rig.runAggregator('doomed')
  await rig.startAggregator('steady')
  await untilSharedByBoth(rig)
  await trade(rig, 20_000)
  doomed.child.kill('SIGKILL')
  await untilShared(rig, ['steady'])
  await trade(rig, 60_000)
  await expectBarsRight(rig)
})

test('a member that slept is fenced when it wakes up, changes nothing, and takes its share again', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const sleeper = rig.runAggregator('doomed')
  await rig.startAggregator('steady')
  await untilSharedByBoth(rig)
  await trade(rig, 20_000)
  sleeper.child.kill('SIGSTOP')
  await untilShared(rig, ['steady'])
  await trade(rig, 20_000)
  sleeper.child.kill('SIGCONT')
  await until('it has noticed', () => sleeper.output.text.includes('partition lost to another owner'))
  await untilSharedByBoth(rig)
  await trade(rig, 40_000)
  await expectBarsRight(rig)
})

test('members killed one after the other under load leave the bars right', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  let processes = ['a', 'b'].map(member => rig.runAggregator(member))
  await untilOwnedBy(rig, ['a', 'b'])
  for (let round = 0; round < 4; round++) {
    const [first, second] = processes
    first!.child.kill('SIGKILL')
    processes = [second!, rig.runAggregator(`next-${round}`)]
    await trade(rig, 15_000)
  }
  await expectBarsRight(rig)
})

test('an owner whose token is taken by another stops at once, and claims again when its turn comes', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const one = rig.runAggregator('one')
  await untilShared(rig, ['one'])
  const [tag] = await rig.tags()
  await rig.redis.hset(`own:${tag}:aggregate`, 'token', 'a stranger')
  await rig.redis.set(leaseKeyOf(tag!), 'stranger', 'PX', 1_000)
  await until('it has noticed', () => one.output.text.includes('partition lost to another owner'))
  await until('it is ours again', async () => (await tokenOf(rig, tag!)) !== 'a stranger')
  await trade(rig, 60_000)
  await expectBarsRight(rig)
})

test('an owner that renews its lease and gets nowhere is overtaken, and no trade is lost with it', async () => {
  await using rig = await openRig(server)
  rig.startIngestor()
  const deaf = await rig.startAggregator('doomed', { openReader: stuckReader })
  await until('it owns', async () => (await ownedCount(deaf)) > 0)
  const steady = await rig.startAggregator('steady')
  await trade(rig, 60_000)
  expect((await steady.metrics.steals.get()).values[0]!.value).toBeGreaterThan(0)
  await expectBarsRight(rig)
})

/** For a process whose clock is wrong by so much. */
const clockOff = (ms: number) => ({
  NODE_OPTIONS: `--import="data:text/javascript,const now=Date.now;Date.now=()=>now()+(${ms})"`,
})

test('processes whose clocks are five minutes off, each its own way, make the same bars and hand over as ever', async () => {
  await using rig = await openRig(server)
  rig.startIngestor(clockOff(300_000))
  const slow = rig.runAggregator('doomed', clockOff(-300_000))
  rig.runAggregator('steady', clockOff(120_000))
  await untilSharedByBoth(rig)
  await trade(rig, 40_000)
  slow.child.kill('SIGKILL')
  await trade(rig, 60_000)
  await expectBarsRight(rig)
})

/** A reader that never opens, until it is no longer wanted. */
const stuckReader: OpenReader = (_name, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

async function tokensOf(rig: Rig): Promise<Map<string, string | null>> {
  return new Map(await Promise.all((await rig.tags()).map(async tag => [tag, await tokenOf(rig, tag)] as const)))
}

/** The names are such that each ranks first for some of the five symbols' partitions. */
async function untilSharedByBoth(rig: Rig): Promise<void> {
  expect(new Set((await untilShared(rig, ['doomed', 'steady'])).values()).size).toBe(2)
}
