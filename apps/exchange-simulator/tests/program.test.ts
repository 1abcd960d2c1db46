import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { BARE_ENV } from '@chart/testkit'
import { expect, test } from 'vitest'
import { getJson } from './stream-client.ts'

const main = join(import.meta.dirname, '../src/main.ts')

function start(env: Record<string, string>) {
  return spawn(process.execPath, [main], { env: { ...BARE_ENV, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs the program until it listens, asks it, and ends it; gives the answer and the exit code. */
async function ask(env: Record<string, string>, path: string): Promise<{ body: unknown; code: number | null }> {
  const program = start(env)
  const exited = once(program, 'exit')
  const lines = createInterface({ input: program.stdout })
  // A program that cannot start says nothing; its exit must not leave the test waiting.
  const [line] = await Promise.race([
    once(lines, 'line'),
    exited.then(([code]) => Promise.reject(new Error(`exit ${code}`))),
  ])
  const { body } = await getJson(`${JSON.parse(line).listening}${path}`)
  program.kill('SIGTERM')
  const [code] = await exited
  return { body, code }
}

test('the program says where it listens, ends cleanly on SIGTERM, and has the same trades at the next start', async () => {
  const env = { SYMBOLS: 'BTCUSDT', SEED: '7', GENESIS_TIME: '2026-01-01T00:00:00Z', TRADES_PER_SECOND: '20' }
  const path = '/api/v3/historicalTrades?symbol=BTCUSDT&fromId=100000&limit=1000'
  const first = await ask(env, path)
  const second = await ask(env, path)
  expect(first.code).toBe(0)
  expect(first.body).toHaveLength(1000)
  expect(second.body).toEqual(first.body)
})

test('a variable of the wrong form ends the program with its name, value and form', async () => {
  const program = start({ PORT: 'seven' })
  const exited = once(program, 'exit')
  const [line] = await once(createInterface({ input: program.stderr }), 'line')
  expect(line).toBe('exchange-simulator: PORT=seven: wanted a whole number from 0 to 65535')
  expect((await exited)[0]).toBe(1)
})
