import { type PostgresServer, startPostgres } from '@chart/servers'
import { type TextFiles, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPostgres, isPostgresDown, openPostgres } from '../src/index.ts'

const PASSWORD = 'p@ss:w/rd?'

let server: PostgresServer
let files: TextFiles<'ca' | 'others'>

/** A server with TLS that knows a role by its password, and nobody else over TLS or without. */
beforeAll(async () => {
  const ca = await createTestCa('Ours')
  const others = await createTestCa('Others')
  files = await writeFolder({ ca: ca.cert, others: others.cert })
  server = await startPostgres({
    fsync: false,
    tls: await ca.issue('postgres', ['127.0.0.1']),
    hba: ['hostnossl all postgres 127.0.0.1/32 trust', 'hostssl all chart 127.0.0.1/32 scram-sha-256'],
  })
  const admin = new Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`CREATE ROLE chart LOGIN PASSWORD '${PASSWORD}'`)
  await admin.end()
})
afterAll(async () => {
  await server?.close()
  await files?.[Symbol.asyncDispose]()
})

function urlOf(over: { password?: string; host?: string; query?: string } = {}): string {
  const password = encodeURIComponent(over.password ?? PASSWORD)
  const query = over.query ?? `sslmode=verify-full&sslrootcert=${files.paths.ca}`
  return `postgres://chart:${password}@${over.host ?? '127.0.0.1'}:${server.port}/postgres?${query}`
}

const open = (url: string) => openPostgres({ url, applicationName: 'test' })

test('a role with a password is let in over TLS, by every kind of connection', async () => {
  await using postgres = await open(urlOf())
  const statement = 'SELECT current_user AS name, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
  const { rows } = await postgres.query<{ name: string; ssl: boolean }>({ text: statement })
  expect(rows).toEqual([{ name: 'chart', ssl: true }])
  const own = await postgres.withConnection(async connection => (await connection.query(statement)).rows)
  expect(own).toEqual(rows)
})

test.each<[string, () => string, RegExp]>([
  ['a wrong password', () => urlOf({ password: 'wr0ng-secret' }), /password authentication failed for user "chart"/],
  [
    'another issuer',
    () => urlOf({ query: `sslmode=verify-full&sslrootcert=${files.paths.others}` }),
    /self-signed certificate|unable to (verify|get)/,
  ],
  ['a name that is not in the certificate', () => urlOf({ host: 'localhost' }), /Host: localhost. is not/],
  ['no TLS', () => urlOf({ query: '' }), /no pg_hba.conf entry for host .* no encryption/],
  [
    'a file that is not there',
    () => urlOf({ query: 'sslmode=verify-full&sslrootcert=/nowhere/ca.pem' }),
    /ENOENT.*\/nowhere\/ca.pem/,
  ],
])('%s is one line that says so, without the password', async (_, url, message) => {
  const error = await open(url()).catch(error => error)
  expect(error.message).toMatch(/^cannot reach PostgreSQL at (127.0.0.1|localhost):\d+\/postgres: /)
  expect(error.message).toMatch(message)
  expect(isPostgresDown(error)).toBe(true)
  expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(
    /wr0ng-secret|p@ss|p%40ss/,
  )
})

test('trouble with TLS is the server’s, so bars wait', async () => {
  const query = `sslmode=verify-full&sslrootcert=${files.paths.others}`
  await using pool = createPostgres({ url: urlOf({ query }), applicationName: 'test' })
  const error = await pool.query({ text: 'SELECT 1' }).catch(error => error)
  expect(isPostgresDown(error), String(error)).toBe(true)
})
