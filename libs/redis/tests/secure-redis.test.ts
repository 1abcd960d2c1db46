import { freePort, type RedisServer, startRedis } from '@chart/servers'
import { type TextFiles, until, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeRedis, openBarUpdates, openBlockingRedis, openRedis } from '../src/index.ts'

const PASSWORD = 'p@ss:w/rd?'

let server: RedisServer
let port: number
let files: TextFiles<'ca' | 'cert' | 'key' | 'others' | 'clientCert' | 'clientKey'>

beforeAll(async () => {
  const ca = await createTestCa('Ours')
  const { cert, key } = await ca.issue('redis', ['127.0.0.1'])
  const client = await ca.issue('chart')
  const others = await createTestCa('Others')
  files = await writeFolder({
    ca: ca.cert,
    cert,
    key,
    others: others.cert,
    clientCert: client.cert,
    clientKey: client.key,
  })
  server = await startSecure('no')
  port = tlsPorts.get(server)!
})
afterAll(async () => {
  await server?.close()
  await files?.[Symbol.asyncDispose]()
})

const tlsPorts = new Map<RedisServer, number>()

/** With plain text besides, for the one who starts it to see that it is there. */
async function startSecure(clientCertificates: 'yes' | 'no'): Promise<RedisServer> {
  const tlsPort = await freePort()
  const { ca, cert, key } = files.paths
  const started = await startRedis({
    args: [
      ...['--tls-port', String(tlsPort), '--tls-auth-clients', clientCertificates],
      ...['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key],
    ],
  })
  tlsPorts.set(started, tlsPort)
  const admin = await openRedis(started.url, 'admin')
  await admin.call('ACL', 'SETUSER', 'chart', 'on', `>${PASSWORD}`, '~*', '&*', '+@all')
  closeRedis(admin)
  return started
}

function urlOf(over: { password?: string; ca?: string; query?: string; at?: number } = {}): string {
  const password = encodeURIComponent(over.password ?? PASSWORD)
  return `rediss://chart:${password}@127.0.0.1:${over.at ?? port}?ca=${over.ca ?? files.paths.ca}${over.query ?? ''}`
}

test('commands, blocking reads and subscriptions go over TLS as a user with a password', async () => {
  const redis = await openRedis(urlOf(), 'test')
  expect(await redis.call('ACL', 'WHOAMI')).toBe('chart')
  const reader = await openBlockingRedis(urlOf(), '{p01}', 1_000)
  const heard: string[] = []
  await using updates = await openBarUpdates({
    url: urlOf(),
    name: 'test',
    onUpdate: (_, bytes) => heard.push(bytes.toString()),
    onReconnect: () => undefined,
  })
  await updates.subscribe('{p01}')
  await redis.call('SPUBLISH', 'updates:{p01}', 'hello')
  await until('it is heard', () => heard.length === 1)
  closeRedis(reader)
  closeRedis(redis)
})

test('a server that asks for a certificate is shown ours', async () => {
  const strict = await startSecure('yes')
  const own = `&cert=${files.paths.clientCert}&key=${files.paths.clientKey}`
  const redis = await openRedis(urlOf({ at: tlsPorts.get(strict)!, query: own }), 'test')
  expect(await redis.ping()).toBe('PONG')
  closeRedis(redis)
  await strict.close()
})

test('another issuer, a wrong password and plain text are lines that say so, without the password', async () => {
  const wrong = [
    [urlOf({ ca: files.paths.others }), /self-signed certificate|unable to (verify|get)/],
    [urlOf({ password: 'wr0ng-secret' }), /WRONGPASS/],
    [urlOf({ at: server.port }), /wrong version number|packet length|disconnected|ECONNRESET|ETIMEDOUT/],
  ] as const
  const errors = await Promise.all(wrong.map(([url]) => openRedis(url, 'test').catch(error => error)))
  for (const [index, error] of errors.entries()) {
    expect(error.message).toMatch(/^cannot reach Redis at 127.0.0.1:\d+: .*; start it or set REDIS_URL$/)
    expect(error.message).toMatch(wrong[index]![1])
    expect(error.message).not.toMatch(/wr0ng-secret|p@ss|p%40ss/)
  }
})
