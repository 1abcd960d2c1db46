import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import { until } from '@chart/testkit'
import { type Certificate, createTestCa, type TestCa } from '@chart/testkit/certificates'
import { type Client, type ClientReadableStream, credentials, type ServiceError } from '@grpc/grpc-js'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { RpcError, type TlsMaterial } from '../src/index.ts'
import { ChartServiceClient } from '../src/proto.ts'
import { MESSAGE, startServer, type TestServer } from './test-server.ts'

let ca: TestCa
let others: TestCa
let own: Certificate

beforeAll(async () => {
  ca = await createTestCa('Ours')
  others = await createTestCa('Others')
  own = await ca.issue('edge')
})

const clients = new Set<Client>()
afterEach(() => {
  for (const client of clients) client.close()
  clients.clear()
})

/** A client over TLS that shows `certificate`, if any. */
function clientOf({ address }: TestServer, issuer = ca, certificate?: Certificate) {
  const key = certificate && Buffer.from(certificate.key)
  const cert = certificate && Buffer.from(certificate.cert)
  const client = new ChartServiceClient(
    address,
    credentials.createSsl(Buffer.from(issuer.cert), key ?? null, cert ?? null),
    // Connections of their own.
    { 'grpc.use_local_subchannel_pool': 1 },
  )
  clients.add(client)
  return client
}

function listSymbols(client: InstanceType<typeof ChartServiceClient>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000
    const answer = (error: ServiceError | null, value: unknown) => (error === null ? resolve(value) : reject(error))
    ;(client.listSymbols as (...args: unknown[]) => void)({}, { deadline }, answer)
  })
}

/** Opens a stream and waits for its first message; `next` waits for one more. */
async function openStream(client: InstanceType<typeof ChartServiceClient>) {
  const open = client.streamBars as (request: object) => ClientReadableStream<unknown>
  const call = open.call(client, { symbols: ['A'], intervals: ['1m'] })
  const messages = call[Symbol.asyncIterator]()
  expect((await messages.next()).done).toBe(false)
  return { next: () => messages.next(), cancel: () => call.cancel() }
}

/** The certificate that a new connection is shown. */
function shownCertificate({ server }: TestServer): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls(
      { port: server.port, host: '127.0.0.1', ca: ca.cert, ALPNProtocols: ['h2'] },
      () => {
        resolve(socket.getPeerCertificate())
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })
}

const mutual = (): TlsMaterial => ({ ...own, clientCa: ca.cert })

test('calls go over TLS, and a client that trusts others does not make any', async () => {
  await using running = await startServer({ tls: own })
  expect(await listSymbols(clientOf(running))).toEqual({ symbols: [] })
  await expect(listSymbols(clientOf(running, others))).rejects.toMatchObject({ code: 14 })
  expect(running.callEnds).toHaveLength(1)
})

test('plain text is not answered', async () => {
  await using running = await startServer({ tls: own })
  const client = new ChartServiceClient(running.address, credentials.createInsecure())
  clients.add(client)
  await expect(listSymbols(client)).rejects.toMatchObject({ code: 14 })
  await until('it is told', () => running.connectionEnds.some(end => end.reason === 'TLS failed'))
})

test.each(['TLSv1.1', 'TLSv1'] as const)('%s is refused', async version => {
  await using running = await startServer({ tls: own })
  const socket = connectTls({
    port: running.server.port,
    host: '127.0.0.1',
    ca: ca.cert,
    minVersion: version,
    maxVersion: version,
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const error = await new Promise<Error | undefined>(resolve => {
    socket.on('error', resolve)
    socket.on('secureConnect', () => resolve(undefined))
  })
  socket.destroy()
  expect(error?.message).toMatch(/alert protocol version|unsupported protocol/i)
})

test('another protocol than HTTP/2 is not agreed on', async () => {
  await using running = await startServer({ tls: own })
  const socket = connectTls({
    port: running.server.port,
    host: '127.0.0.1',
    ca: ca.cert,
    ALPNProtocols: ['http/1.1'],
  })
  const error = await new Promise<Error>(resolve => socket.on('error', resolve))
  expect(error.message).toMatch(/no application protocol/i)
})

test('a handshake that never comes, or stops halfway, ends the connection', async () => {
  await using running = await startServer({ tls: own, limits: { establishTimeoutMs: 300 } })
  const silent = connectTcp({ port: running.server.port, host: '127.0.0.1' })
  const halfway = connectTcp({ port: running.server.port, host: '127.0.0.1' })
  // The head of a record of a handshake whose 512 bytes do not come.
  halfway.write(Buffer.from('1603010200', 'hex'))
  await Promise.all([silent, halfway].map(socket => new Promise(resolve => socket.resume().on('close', resolve))))
  await until('both are gone', () => running.server.connections === 0)
  expect(await listSymbols(clientOf(running))).toEqual({ symbols: [] })
})

describe('with a client CA', () => {
  test('a client that shows a certificate of it is served', async () => {
    await using running = await startServer({ tls: mutual() })
    expect(await listSymbols(clientOf(running, ca, await ca.issue('client')))).toEqual({ symbols: [] })
  })

  test('one that shows none, or one of another issuer, is not', async () => {
    await using running = await startServer({ tls: mutual() })
    await expect(listSymbols(clientOf(running))).rejects.toMatchObject({ code: 14 })
    const stranger = await others.issue('client')
    await expect(listSymbols(clientOf(running, ca, stranger))).rejects.toMatchObject({ code: 14 })
    expect(running.callEnds).toEqual([])
  })
})

describe('a new certificate', () => {
  test('is seen by new connections, while open streams go on', async () => {
    await using running = await startServer({ tls: own })
    const stream = await openStream(clientOf(running))
    expect((await shownCertificate(running)).subject.CN).toBe('edge')
    running.server.updateTls(await ca.issue('edge-2'))
    expect((await shownCertificate(running)).subject.CN).toBe('edge-2')
    running.streams[0]!.write(MESSAGE)
    expect((await stream.next()).done).toBe(false)
    expect(await listSymbols(clientOf(running))).toEqual({ symbols: [] })
    stream.cancel()
  })

  test('that is broken, or is not of its key, is refused, and the former stays', async () => {
    await using running = await startServer({ tls: own })
    const next = await ca.issue('edge-2')
    const noCa = ['', 'nonsense'].map(clientCa => ({ ...own, clientCa }))
    for (const bad of [{ ...next, cert: 'nonsense' }, { ...next, key: own.key }, { ...next, key: '' }, ...noCa]) {
      expect(() => running.server.updateTls(bad)).toThrow(
        'the TLS certificate, its key or the client CA cannot be used',
      )
    }
    expect((await shownCertificate(running)).subject.CN).toBe('edge')
  })

  test('of the clients’ issuer decides on new connections', async () => {
    await using running = await startServer({ tls: mutual() })
    const stranger = await others.issue('client')
    await expect(listSymbols(clientOf(running, ca, stranger))).rejects.toMatchObject({ code: 14 })
    running.server.updateTls({ ...own, clientCa: others.cert })
    expect(await listSymbols(clientOf(running, ca, stranger))).toEqual({ symbols: [] })
    await expect(listSymbols(clientOf(running, ca, await ca.issue('client')))).rejects.toMatchObject({ code: 14 })
  })
})

test('a server that begins with a key of another certificate does not begin', async () => {
  const starting = startServer({ tls: { ...own, key: (await ca.issue('x')).key } })
  await expect(starting).rejects.toThrow('the TLS certificate, its key or the client CA cannot be used')
})

test('closing ends TLS connections in every state', async () => {
  await using running = await startServer({ tls: own })
  const stream = await openStream(clientOf(running))
  connectTcp({ port: running.server.port, host: '127.0.0.1' }).on('error', () => undefined)
  await until('both are there', () => running.server.connections === 2)
  const ended = stream.next().catch(error => error)
  const closing = running.server[Symbol.asyncDispose]()
  running.streams[0]!.fail(new RpcError('UNAVAILABLE', 'stopping'))
  expect(await ended).toMatchObject({ code: 14, details: 'stopping' })
  await closing
  expect(running.server.connections).toBe(0)
})
