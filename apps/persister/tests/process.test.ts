import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'
import { BARE_ENV } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

/** The two programs of this app, as processes. */

let redis: RedisServer
let postgres: PostgresServer
beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres({ fsync: false })])
})
afterAll(() => Promise.all([redis.close(), postgres.close()]))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(program: 'main' | 'migrate', env: Record<string, string> = {}) {
  const file = new URL(`../src/${program}.ts`, import.meta.url).pathname
  const child = spawn(process.execPath, [file], {
    env: {
      ...BARE_ENV,
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      HEALTH_PORT: '0',
      HEALTH_HOST: '127.0.0.1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { text: '' }
  child.stdout.on('data', chunk => {
    output.text += chunk
  })
  child.stderr.on('data', chunk => {
    output.text += chunk
  })
  const exited = once(child, 'close').then(([code]) => ({ code: code as number, text: output.text }))
  return { child, output, exited }
}

test('the persister refuses a schema that is not there with one line, migrate makes it, and then it runs and stops', async () => {
  const refused = await run('main').exited
  expect(refused.code).toBe(1)
  expect(refused.text).toMatch(
    /persister: the schema of 127\.0\.0\.1:\d+\/postgres lacks 0001-bars, 0002-unverified-bars, 0003-corrected-bars; run `npm run migrate/,
  )

  const runs = await Promise.all([run('migrate').exited, run('migrate').exited])
  expect(runs.map(({ code }) => code)).toEqual([0, 0])
  // They take turns step by step, so either may have done either.
  const applied = runs.flatMap(({ text }) => /applied (.*)\n/.exec(text)?.[1]?.split(', ') ?? [])
  expect(applied.sort()).toEqual(['0001-bars', '0002-unverified-bars', '0003-corrected-bars'])

  const { child, output, exited } = run('main')
  const port = await portOf(output)
  expect(await (await fetch(`http://127.0.0.1:${port}/readyz`)).text()).toBe('ok\n')
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  for (const name of ['bars_total', 'jobs_total', 'waiting_jobs', 'kept_failed_jobs', 'upsert_seconds', 'batch_bars']) {
    expect(metrics).toContain(`chart_persister_${name}`)
  }
  child.kill('SIGTERM')
  expect((await exited).code).toBe(0)
})

test('readiness follows PostgreSQL and Redis, liveness does not', async () => {
  await run('migrate').exited
  const { output } = run('main')
  const port = await portOf(output)
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  await postgres.kill()
  expect(await ask('/readyz')).toEqual({
    status: 503,
    text: expect.stringMatching(/^postgres: cannot reach PostgreSQL at /),
  })
  expect((await ask('/livez')).status).toBe(200)
  await postgres.restart()
  expect((await ask('/readyz')).status).toBe(200)
  await redis.kill()
  expect((await ask('/readyz')).text).toMatch(/^redis: .*\nqueue: /)
  expect((await ask('/metrics')).status).toBe(200)
  await redis.restart()
  for (let tries = 0; (await ask('/readyz')).status !== 200; tries++) {
    expect(tries).toBeLessThan(50)
    await sleep(100)
  }
})

test('migrate waits for a PostgreSQL that is starting', async () => {
  await postgres.kill()
  const { exited, child } = run('migrate')
  await sleep(1_500)
  expect(child.exitCode).toBe(null)
  await postgres.restart()
  expect(await exited).toEqual({ code: 0, text: expect.stringContaining('the schema is up to date') })
})

test('what cannot be started with is one line that says so', async () => {
  const absent = `127.0.0.1:${await freePort()}`
  const cases = [
    [
      run('migrate', { DATABASE_URL: 'mysql://x' }),
      /^migrate: DATABASE_URL must be a URL such as postgres:\/\/host:port.*\n$/,
    ],
    [
      run('migrate', { DATABASE_URL: postgres.url.replace(/[^/]*$/, 'absent') }),
      /^migrate: .*database "absent" does not exist.*\n$/,
    ],
    [
      run('main', { QUEUE_REDIS_URL: 'here' }),
      /^persister: QUEUE_REDIS_URL cannot be used: wanted redis:\/\/host:port.*\n$/,
    ],
    [
      run('main', { DATABASE_URL: `postgres://me:secret@${absent}/x` }),
      /cannot reach PostgreSQL at 127[^:]*:\d+\/x: .*ECONNREFUSED/,
    ],
  ] as const
  for (const [{ exited }, line] of cases) {
    const { code, text } = await exited
    expect(text).toMatch(line)
    expect(text).not.toContain('secret')
    expect(code).toBe(1)
  }
})

async function portOf(output: { text: string }): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const port = /"port":(\d+)/.exec(output.text)?.[1]
    if (port !== undefined) return Number(port)
    await sleep(20)
  }
  throw new Error(`no port in: ${output.text}`)
}
