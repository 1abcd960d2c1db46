import { connect as connectTls, type PeerCertificate } from 'node:tls'
import { type ApiKey, hashOfSecret, newApiKey, openBarClient, textOfApiKey } from '@chart/grpc'
import { messageOf, openRawSession, rawCall, textField, until, writeFolder } from '@chart/testkit'
import { createTestCa } from '@chart/testkit/certificates'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type EdgeProcess, killEdges, startEdgeProcess, urlsOf } from './edge-process.ts'
import { type Servers, startServers } from './fresh-servers.ts'

let servers: Servers
beforeAll(async () => {
  servers = await startServers()
})
afterAll(() => servers[Symbol.asyncDispose]())
afterEach(killEdges)

const SERVICE = '/chart.v1.ChartService/'
const METHODS = [
  ...['StreamBars', 'GetLiveBar', 'ListBars', 'ListSymbols'].map(name => SERVICE + name),
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
]
const OK = 0
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

type Entry = { id: string; sha256: string; scopes: string[]; expires?: string; limits?: object }

function entryOf({ id, secret }: ApiKey, scopes = ['live', 'history'], more: Partial<Entry> = {}): Entry {
  return { id, sha256: hashOfSecret(secret), scopes, ...more }
}

const bearer = (key: ApiKey) => ({ headers: { authorization: `Bearer ${textOfApiKey(key)}` } })

async function startGuarded(entries: readonly Entry[], env: Record<string, string> = {}) {
  const files = await writeFolder({ keys: JSON.stringify(entries) })
  const edge = startEdgeProcess({ ...urlsOf(servers), AUTH: 'on', API_KEYS_FILE: files.paths.keys, ...env })
  const port = await edge.portIn('gRPC listening')
  return { files, edge, port }
}

/** What the log has under a message. */
const linesOf = (edge: EdgeProcess, message: string) =>
  edge
    .linesOf()
    .filter(line => line.includes(`"msg":"${message}"`))
    .map(line => JSON.parse(line))

test('an edge that others can reach and that has no keys does not begin', async () => {
  const edge = startEdgeProcess({ ...urlsOf(servers), GRPC_HOST: '0.0.0.0' })
  expect(await edge.exited).toBe(1)
  expect(edge.linesOf()).toEqual([
    expect.stringMatching(/^edge: API keys are asked for \(GRPC_HOST 0.0.0.0 .*set API_KEYS_FILE .*AUTH=off/),
  ])
})

test.each([
  ['is missing', undefined, /^edge: \/\S+ cannot be read \(ENOENT\)/],
  ['is broken', '[{"id":"a"}]', /^edge: the API keys in \/\S+ cannot be used: key number 1 \(a\): "sha256" is/],
])('an edge whose file of keys %s does not begin', async (_, text, message) => {
  await using files = await writeFolder({ keys: text ?? '' })
  const file = text === undefined ? `${files.paths.keys}-none` : files.paths.keys
  const edge = startEdgeProcess({ ...urlsOf(servers), AUTH: 'on', API_KEYS_FILE: file })
  expect(await edge.exited).toBe(1)
  expect(edge.linesOf().filter(line => !line.startsWith('{'))).toEqual([expect.stringMatching(message)])
})

test('without a key only health answers; with one, what it is for; no secret is in the log', async () => {
  const [both, live, expired, stranger] = ['both', 'live', 'expired', 'stranger'].map(newApiKey)
  const { edge, port, files } = await startGuarded([
    entryOf(both!),
    entryOf(live!, ['live']),
    entryOf(expired!, ['live'], { expires: '2020-01-01T00:00:00Z' }),
  ])
  await using session = await openRawSession(port)
  for (const method of METHODS) {
    expect(await rawCall(session, method), method).toMatchObject({ code: UNAUTHENTICATED })
  }
  expect((await rawCall(session, '/grpc.health.v1.Health/Check')).code).toBe(OK)
  expect((await rawCall(session, `${SERVICE}ListSymbols`, bearer(both!))).code).toBe(OK)
  const wrong = { ...newApiKey('both') }
  for (const key of [stranger!, wrong, expired!]) {
    expect((await rawCall(session, `${SERVICE}ListSymbols`, bearer(key))).code).toBe(UNAUTHENTICATED)
  }
  const nonsense = { headers: { authorization: `Bearer ${both!.secret}` } }
  expect((await rawCall(session, `${SERVICE}ListSymbols`, nonsense)).code).toBe(UNAUTHENTICATED)
  expect((await rawCall(session, `${SERVICE}ListBars`, bearer(live!))).code).toBe(PERMISSION_DENIED)
  const past = Buffer.concat([textField(1, 'A'), textField(2, '1m'), textField(4, Buffer.from([8, 1]))])
  const fromPast = await rawCall(session, `${SERVICE}StreamBars`, { ...bearer(live!), body: messageOf(past) })
  expect(fromPast).toMatchObject({
    code: PERMISSION_DENIED,
    message: expect.stringContaining('StreamBars with start_time'),
  })
  await until('more than a line says so', () => linesOf(edge, 'refused').length >= 10)
  expect(linesOf(edge, 'refused')[0]).toMatchObject({
    level: 40,
    what: 'call',
    peer: `127.0.0.1:${session.socket.localPort}`,
    method: METHODS[0],
    code: 'UNAUTHENTICATED',
  })
  await until('those beyond ten in a second are counted', () => linesOf(edge, 'more refused in this second').length > 0)
  const health = `http://127.0.0.1:${await edge.portIn('health endpoints listening')}`
  const metrics = await (await fetch(`${health}/metrics`)).text()
  expect(metrics).toMatch(/chart_edge_calls_total\{method="\/chart.v1.ChartService\/ListSymbols",code="OK",/)
  expect(metrics).toMatch(/chart_edge_refused_calls_total\{code="PERMISSION_DENIED",app="edge"\} 2/)
  edge.process.kill('SIGTERM')
  expect(await edge.exited).toBe(0)
  const log = edge.linesOf().join('\n')
  for (const key of [both!, live!, expired!, stranger!, wrong]) {
    expect(log).not.toContain(key.secret)
    expect(log).not.toContain(hashOfSecret(key.secret))
  }
  await files[Symbol.asyncDispose]()
})

test('keys come and go with their file; a broken one leaves those that were', async () => {
  const [first, second] = ['first', 'second'].map(newApiKey)
  const { edge, port, files } = await startGuarded([entryOf(first!)])
  await using session = await openRawSession(port)
  const codeOf = async (key: ApiKey) => (await rawCall(session, `${SERVICE}ListSymbols`, bearer(key))).code
  expect([await codeOf(first!), await codeOf(second!)]).toEqual([OK, UNAUTHENTICATED])
  await files.write('keys', '[{"id": "first"')
  await until('it is told', () => linesOf(edge, 'the new API keys cannot be used; the former stay').length === 1)
  expect(await codeOf(first!)).toBe(OK)
  await files.write('keys', JSON.stringify([entryOf(second!)]))
  await until('it is told', () => linesOf(edge, 'the API keys have changed').length === 1)
  expect([await codeOf(first!), await codeOf(second!)]).toEqual([UNAUTHENTICATED, OK])
  await files[Symbol.asyncDispose]()
})

test('limits of a key are its own', async () => {
  const [small, large] = ['small', 'large'].map(newApiKey)
  const { port, files } = await startGuarded([
    entryOf(small!, ['live'], { limits: { callsPerSecond: 0.1 } }),
    entryOf(large!),
  ])
  await using session = await openRawSession(port)
  const codeOf = async (key: ApiKey) => (await rawCall(session, `${SERVICE}ListSymbols`, bearer(key))).code
  expect([await codeOf(small!), await codeOf(small!), await codeOf(large!)]).toEqual([OK, 8, OK])
  await files[Symbol.asyncDispose]()
})

describe('TLS', () => {
  function shown(port: number, ca: string): Promise<PeerCertificate> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] }, () => {
        resolve(socket.getPeerCertificate())
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  test('certificates come and go with their files; a broken one leaves the one that was', async () => {
    const ca = await createTestCa()
    const [first, second] = [await ca.issue('first'), await ca.issue('second')]
    await using files = await writeFolder({ cert: first.cert, key: first.key })
    const edge = startEdgeProcess({
      ...urlsOf(servers),
      GRPC_TLS_CERT_FILE: files.paths.cert,
      GRPC_TLS_KEY_FILE: files.paths.key,
    })
    const port = await edge.portIn('gRPC listening')
    expect((await shown(port, ca.cert)).subject.CN).toBe('first')
    await files.write('cert', second.cert)
    const refused = 'the new certificate cannot be used; the former stays'
    await until('a certificate without its key is told', () => linesOf(edge, refused).length === 1)
    expect((await shown(port, ca.cert)).subject.CN).toBe('first')
    await files.write('key', second.key)
    await until('the new one is shown', async () => (await shown(port, ca.cert)).subject.CN === 'second')
    using plain = openBarClient(`127.0.0.1:${port}`)
    await expect(plain.listSymbols()).rejects.toMatchObject({ code: 14 })
    expect(edge.linesOf().join()).not.toContain('PRIVATE KEY')
  })

  test('a file that cannot be used ends the process with what is wrong', async () => {
    await using files = await writeFolder({ cert: 'x', key: 'y' })
    const tls = { GRPC_TLS_CERT_FILE: files.paths.cert, GRPC_TLS_KEY_FILE: files.paths.key }
    const edge = startEdgeProcess({ ...urlsOf(servers), ...tls })
    expect(await edge.exited).toBe(1)
    const lines = edge.linesOf().filter(line => !line.startsWith('{'))
    expect(lines).toEqual([
      expect.stringMatching(/^edge: the TLS certificate, its key or the client CA cannot be used: /),
    ])
  })
})

test('SIGTERM: not ready at once, then served as ever for a while, then drained', async () => {
  const edge = startEdgeProcess({ ...urlsOf(servers), DRAIN_DELAY_MS: '3000', DRAIN_SPREAD_MS: '0' })
  const port = await edge.portIn('gRPC listening')
  const health = `http://127.0.0.1:${await edge.portIn('health endpoints listening')}`
  await using session = await openRawSession(port)
  const serving = async () => (await rawCall(session, '/grpc.health.v1.Health/Check')).body.at(-1) === 1
  expect(await serving()).toBe(true)
  const closed = new Promise(resolve => session.once('close', resolve))
  edge.process.kill('SIGTERM')
  await until('/readyz says no', async () => (await fetch(`${health}/readyz`)).status === 503)
  expect(await (await fetch(`${health}/readyz`)).text()).toContain('this edge is stopping')
  expect((await fetch(`${health}/livez`)).status).toBe(200)
  expect(await serving()).toBe(false)
  expect((await rawCall(session, `${SERVICE}ListSymbols`)).code).toBe(OK)
  await using late = await openRawSession(port)
  expect((await rawCall(late, `${SERVICE}ListSymbols`)).code, 'a connection that comes late').toBe(OK)
  await closed
  expect(await edge.exited).toBe(0)
})
