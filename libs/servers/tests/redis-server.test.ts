import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { redisCommand, startRedis } from '../src/index.ts'
import { identityOf } from '../src/process-identity.ts'

const folders: string[] = []
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chart-test-'))
  folders.push(folder)
  return folder
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

test('a Redis answers, evicts nothing, and leaves neither process nor folder behind', async () => {
  const redis = await startRedis()
  expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`)
  expect(await redisCommand(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction')
  await redis.close()
  expect(identityOf(redis.pid)).toBeUndefined()
  expect(existsSync(redis.dir)).toBe(false)
})

test('two at once have ports and data of their own', async () => {
  await using one = await startRedis()
  await using other = await startRedis()
  await redisCommand(one.port, 'SET whose one')
  expect(one.port).not.toBe(other.port)
  expect(await redisCommand(other.port, 'GET whose')).toBe('$-1\r\n')
})

test('data written out before SIGKILL are there after a restart, on the same port', async () => {
  await using redis = await startRedis({ appendOnly: true, args: ['--appendfsync', 'always'] })
  await redisCommand(redis.port, 'SET price 60123.10')
  const { pid, port } = redis
  await redis.kill('SIGKILL')
  expect(await redis.exited()).toMatchObject({ signal: 'SIGKILL' })
  await redis.restart()
  expect(redis.port).toBe(port)
  expect(redis.pid).not.toBe(pid)
  expect(await redisCommand(port, 'GET price')).toContain('60123.10')
})

test('data survive close and a later start in the same folder', async () => {
  const dir = await newFolder()
  {
    await using redis = await startRedis({ dir, appendOnly: true })
    await redisCommand(redis.port, 'SET price 1')
  }
  await using redis = await startRedis({ dir, appendOnly: true })
  expect(await redisCommand(redis.port, 'GET price')).toContain('1')
})

test('a second server on a folder in use is refused and the first goes on', async () => {
  const dir = await newFolder()
  await using redis = await startRedis({ dir })
  await expect(startRedis({ dir })).rejects.toThrow(`is in use by process ${process.pid}`)
  expect(await redisCommand(redis.port, 'PING')).toBe('+PONG\r\n')
})

test('a port in use is one clear error', async () => {
  await using first = await startRedis()
  await expect(startRedis({ port: first.port })).rejects.toThrow(/redis-server exited with 1: .*Address already in use/)
})
