import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type PostgresServer, startPostgres } from '@chart/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isPostgresDataError, isPostgresDown, openPostgres } from '../src/index.ts'
import { openTest } from './fresh-database.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ fsync: false })
})
afterAll(() => server.close())

test('a server that is not there is one clear line without the password', async () => {
  const url = `postgres://me:secret@127.0.0.1:${await freePort()}/bars`
  const error = await openTest(url).catch(error => error)
  expect(error.message).toMatch(
    /^cannot reach PostgreSQL at 127\.0\.0\.1:\d+\/bars: .*ECONNREFUSED.*; start it or set DATABASE_URL$/,
  )
  expect(error.message).not.toContain('secret')
  expect(isPostgresDown(error)).toBe(true)
})

test('a server that accepts and says nothing is given up in bounded time', async () => {
  await using silent = await listenSilently()
  const started = Date.now()
  const error = await openTest(`postgres://postgres@127.0.0.1:${silent.port}/postgres`).catch(error => error)
  expect(error.message).toMatch(/no answer in 1500 ms/)
  expect(isPostgresDown(error)).toBe(true)
  expect(Date.now() - started).toBeLessThan(6_000)
})

test('a database or role that does not exist is named', async () => {
  const url = new URL(server.url)
  url.pathname = '/nowhere'
  await expect(openTest(url.href)).rejects.toThrow(/database "nowhere" does not exist/)
})

test('a killed server breaks idle connections and statements under way, and the same pool works after its restart', async () => {
  const idleErrors: Error[] = []
  await using postgres = await openPostgres({
    url: server.url,
    applicationName: 'test',
    onIdleError: error => idleErrors.push(error),
  })
  await Promise.all([postgres.check(), postgres.check()])
  const underWay = postgres.query({ text: 'SELECT pg_sleep(4)' }).catch(error => error)
  await sleep(100)
  await server.kill()
  const error = await underWay
  expect(isPostgresDown(error), String(error)).toBe(true)
  expect(isPostgresDataError(error)).toBe(false)
  expect(isPostgresDown(await postgres.query({ text: 'SELECT 1' }).catch(error => error))).toBe(true)
  await expect(postgres.check()).rejects.toThrow(/cannot reach PostgreSQL/)
  expect(idleErrors.length).toBeGreaterThan(0)
  await server.restart()
  await postgres.check()
})

test('an error says whether the bar or the server is at fault', async () => {
  await using postgres = await openTest(server.url)
  const fail = (text: string) => postgres.query({ text }).catch(error => error)
  for (const text of [`SELECT 'x'::numeric`, 'SELECT 1/0', 'SELECT 2147483648::int']) {
    expect([isPostgresDataError(await fail(text)), isPostgresDown(await fail(text))]).toEqual([true, false])
  }
  for (const text of ['SELECT * FROM absent', 'SELECT pg_terminate_backend(pg_backend_pid())']) {
    expect([isPostgresDataError(await fail(text)), isPostgresDown(await fail(text))]).toEqual([false, true])
  }
  const bug = new TypeError('x is not a function')
  expect([isPostgresDataError(bug), isPostgresDown(bug)]).toEqual([false, false])
})

test('whole numbers beyond 2^53 are an error rather than a neighbour', async () => {
  await using postgres = await openTest(server.url)
  const read = (text: string) => postgres.query<{ n: number }>({ text: `SELECT ${text}::bigint AS n` })
  expect((await read('9007199254740991')).rows).toEqual([{ n: Number.MAX_SAFE_INTEGER }])
  await expect(read('9007199254740992')).rejects.toThrow(/beyond 2\^53/)
  expect((await read('1')).rows).toEqual([{ n: 1 }])
})

async function listenSilently(): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<{ destroy(): void }>()
  const listener: Server = createServer(socket => sockets.add(socket))
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}
