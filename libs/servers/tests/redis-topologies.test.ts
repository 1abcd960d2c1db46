import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { identityOf, isAlive, redisCommand, startRedisCluster, startRedisSentinel } from '../src/index.ts'

test('Sentinels put the replica in the place of a master that dies, and nothing is left behind', async () => {
  const setup = await startRedisSentinel()
  const { master, replica } = await setup.roles()
  expect(master).toBe(setup.servers[0])
  await redisCommand(master.port, 'SET price 1')
  await redisCommand(master.port, 'WAIT 1 5000')
  await master.kill()
  await expect.poll(async () => (await setup.roles()).master.port, { timeout: 30_000 }).toBe(replica.port)
  expect(await redisCommand(replica.port, 'GET price')).toContain('1')
  const all = [...setup.servers, ...setup.sentinels]
  await setup.close()
  expect(all.filter(({ dir }) => existsSync(dir))).toEqual([])
  expect(all.filter(({ pid }) => isAlive(identityOf(pid) ?? ''))).toEqual([])
})

test('a cluster serves every slot, and a replica takes the place of a master that dies', async () => {
  await using cluster = await startRedisCluster({ replicas: 1 })
  const master = await cluster.masterOf('foo')
  expect(await redisCommand(master.port, 'SET foo 1')).toBe('+OK\r\n')
  const elsewhere = cluster.nodes.slice(0, 3).find(node => node !== master)!
  expect(await redisCommand(elsewhere.port, 'GET foo')).toBe(`-MOVED 12182 127.0.0.1:${master.port}\r\n`)
  await redisCommand(master.port, 'WAIT 1 5000')
  const replica = cluster.nodes[cluster.nodes.indexOf(master) + 3]!
  await master.kill()
  await expect.poll(async () => (await cluster.masterOf('foo')).port, { timeout: 30_000 }).toBe(replica.port)
  expect(await redisCommand(replica.port, 'GET foo')).toContain('1')
})
