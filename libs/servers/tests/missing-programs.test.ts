import { afterEach, expect, test, vi } from 'vitest'
import { ensureRedisInstalled, findCommand, startRedis } from '../src/index.ts'
import { postgresUser } from '../src/postgres-user.ts'

afterEach(() => vi.unstubAllEnvs())

test('without redis-server the error says what to install', async () => {
  vi.stubEnv('PATH', '/nonexistent')
  await expect(startRedis()).rejects.toThrow(/^redis-server is not on the PATH: .*install/)
  await expect(ensureRedisInstalled(() => {})).rejects.toThrow(/^redis-server is not on the PATH: .*install/)
})

test('with redis-server there is nothing to install and nothing to say', async () => {
  const said: string[] = []
  await ensureRedisInstalled(line => said.push(line))
  expect(said).toEqual([])
})

test('as root without setpriv the error says what to do', () => {
  vi.stubEnv('PATH', '/nonexistent')
  expect(() => postgresUser(0)).toThrow(/does not run as root and setpriv is missing: install util-linux/)
  expect(postgresUser(1000)).toEqual({ prefix: [] })
})

test('a program is found on the path, a folder of its name is not', () => {
  expect(findCommand('sh', '/nonexistent:/bin')).toBe('/bin/sh')
  expect(findCommand('bin', '/usr')).toBeUndefined()
})
