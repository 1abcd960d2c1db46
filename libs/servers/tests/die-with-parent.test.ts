import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres, startRedis } from '../src/index.ts'
import { identityOf, isAlive } from '../src/process-identity.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'chart-test-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function startHolder() {
  const holder = spawn(process.execPath, [fileURLToPath(new URL('./holder.ts', import.meta.url)), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string]
  const pids = Object.values(JSON.parse(line) as Record<string, number>)
  return { holder, identities: pids.map(pid => identityOf(pid)!) }
}

test('SIGKILL of the parent ends its servers, and a child that does not listen', { timeout: 30_000 }, async () => {
  const { holder, identities } = await startHolder()
  expect(identities.every(isAlive)).toBe(true)
  holder.kill('SIGKILL')
  for (let waited = 0; waited < 15_000 && identities.some(isAlive); waited += 50) await sleep(50)
  expect(identities.filter(isAlive)).toEqual([])
})

test('a start right after SIGKILL of the parent waits for its servers and takes over the data', {
  timeout: 30_000,
}, async () => {
  const { holder, identities } = await startHolder()
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await using redis = await startRedis({ dir: join(dir, 'redis'), appendOnly: true })
  await using postgres = await startPostgres({ dir: join(dir, 'postgres'), fsync: false })
  expect(identities).not.toContain(identityOf(redis.pid))
  expect(identities).not.toContain(identityOf(postgres.pid))
  for (let waited = 0; waited < 15_000 && identities.some(isAlive); waited += 50) await sleep(50)
})
