import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '@chart/testkit'
import { afterEach, expect, test } from 'vitest'
import { openBarClient, RpcError } from '../src/index.ts'
import { startServer, type TestServer } from './test-server.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/** A frame of SETTINGS without any. */
const SETTINGS = Buffer.from('000000040000000000', 'hex')

const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
})

/** A connection of our own, and when it has ended. */
async function dial({ server }: TestServer, from = '127.0.0.1', allowHalfOpen = false) {
  const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: from, allowHalfOpen })
  sockets.add(socket)
  const ended = new Promise<void>(resolve => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
  await Promise.race([once(socket, 'connect').catch(() => undefined), ended])
  socket.resume()
  return { socket, ended }
}

const reasonsOf = ({ connectionEnds }: TestServer) => connectionEnds.map(end => end.reason)

/** That a client of good manners is served. */
async function expectServed({ address }: TestServer): Promise<void> {
  using client = openBarClient(address)
  expect(await client.listSymbols()).toEqual({ symbols: [] })
}

test('a connection that says nothing is cut, also when it has begun to say something', async () => {
  await using running = await startServer({ limits: { establishTimeoutMs: 300 } })
  const silent = await dial(running)
  const slow = await dial(running)
  slow.socket.write(PREFACE.slice(0, 10))
  await Promise.all([silent.ended, slow.ended])
  expect(reasonsOf(running)).toEqual(['silent', 'silent'])
  await expectServed(running)
})

test('a preface that comes in pieces is one', async () => {
  await using running = await startServer({ limits: { establishTimeoutMs: 500 } })
  const { socket, ended } = await dial(running)
  for (const letter of PREFACE) {
    socket.write(letter)
    await new Promise(resolve => setImmediate(resolve))
  }
  socket.write(SETTINGS)
  // The server's own SETTINGS.
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer[3]).toBe(4)
  socket.destroy()
  await ended
  expect(reasonsOf(running)).toEqual([])
})

test.each([
  ['HTTP/1.1', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['garbage', Buffer.alloc(100_000, 0xff)],
  ['a preface with a wrong end', `${PREFACE.slice(0, -1)}x`],
])('%s is not let through to HTTP/2', async (_, bytes) => {
  await using running = await startServer()
  const { socket, ended } = await dial(running)
  socket.write(bytes)
  await ended
  expect(reasonsOf(running)).toEqual(['not HTTP/2'])
  await expectServed(running)
})

test('garbage behind a good preface ends that connection alone', async () => {
  await using running = await startServer()
  using client = openBarClient(running.address)
  const stop = new AbortController()
  const stream = client.streamBars({ symbols: ['A'], intervals: ['1m'] }, stop.signal)[Symbol.asyncIterator]()
  await stream.next()
  const { socket, ended } = await dial(running)
  socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS, Buffer.alloc(10_000, 0xff)]))
  await ended
  running.streams[0]!.write(Buffer.from(''))
  expect((await stream.next()).done).toBe(false)
  expect(running.errors).toEqual([])
  stop.abort()
})

test('connections of one address are bounded, others are not concerned, and whoever leaves makes room', async () => {
  await using running = await startServer({ limits: { connectionsPerAddressMax: 2 } })
  const first = await dial(running)
  await dial(running)
  await until('both are known', () => running.server.connections === 2)
  await (await dial(running)).ended
  expect(reasonsOf(running)).toEqual(['too many connections of its address'])
  await dial(running, '127.0.0.2')
  await until('another address is let in', () => running.server.connections === 3)
  first.socket.destroy()
  await until('it has left', () => running.server.connections === 2)
  await expectServed(running)
})

test('connections are bounded in all', async () => {
  await using running = await startServer({ limits: { connectionsMax: 2 } })
  await dial(running)
  await dial(running, '127.0.0.2')
  await until('both are known', () => running.server.connections === 2)
  await (await dial(running, '127.0.0.3')).ended
  expect(reasonsOf(running)).toEqual(['too many connections'])
})

test('an address that connects again and again is refused for a while', async () => {
  await using running = await startServer({ limits: { addressRate: { perSecond: 0.001, burst: 50 } } })
  for (let count = 0; count < 5; count++) {
    const { socket, ended } = await dial(running)
    socket.destroy()
    await ended
  }
  await (await dial(running)).ended
  await until('it is refused', () => reasonsOf(running).includes('its address is too fast'))
  await dial(running, '127.0.0.2')
  await until('another is let in', () => running.server.connections === 1)
})

test('a connection that sends without end is cut', async () => {
  const burst = 200_000
  await using running = await startServer({ limits: { receivedBytesRate: { perSecond: 1, burst } } })
  const { socket, ended } = await dial(running)
  socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]))
  // Pings: each is eight bytes and an answer.
  const pings = Buffer.concat(
    Array.from({ length: 500 }, () => Buffer.from(`000008060000000000${'ab'.repeat(8)}`, 'hex')),
  )
  const timer = setInterval(() => socket.write(pings), 10)
  await ended
  clearInterval(timer)
  expect(reasonsOf(running)).toEqual(['sends too much'])
  await expectServed(running)
})

test('a half-open connection is noticed by pings that nobody answers', async () => {
  await using running = await startServer({ limits: { keepaliveMs: 200, keepaliveTimeoutMs: 200 } })
  const { socket, ended } = await dial(running)
  socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]))
  await until('it is there', () => running.server.connections === 1)
  await ended
  await until('it is gone', () => running.server.connections === 0)
})

test('a connection that was ended goes, also when the other side never ends it', async () => {
  await using running = await startServer({ limits: { connectionIdleMs: 100 } })
  const { socket } = await dial(running, '127.0.0.1', true)
  socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]))
  await once(socket, 'end')
  await until('it is gone', () => running.server.connections === 0)
})

test('a connection without calls is closed after a while, one with a call is not', async () => {
  await using running = await startServer({ limits: { connectionIdleMs: 300 } })
  using busy = openBarClient(running.address)
  const stop = new AbortController()
  const stream = busy.streamBars({ symbols: ['A'], intervals: ['1m'] }, stop.signal)[Symbol.asyncIterator]()
  await stream.next()
  const { socket, ended } = await dial(running)
  socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]))
  await ended
  await until('it has left', () => running.server.connections === 1)
  running.streams[0]!.write(Buffer.from(''))
  expect((await stream.next()).done).toBe(false)
  stop.abort()
})

test('a connection that has come of age is closed when its calls have ended, and new calls go over another', async () => {
  await using running = await startServer({ limits: { connectionAgeMs: 500 } })
  using client = openBarClient(running.address)
  const stop = new AbortController()
  const stream = client.streamBars({ symbols: ['A'], intervals: ['1m'] }, stop.signal)[Symbol.asyncIterator]()
  await stream.next()
  await until('a new call has a connection of its own', async () => {
    await client.listSymbols()
    return running.server.connections === 2
  })
  running.streams[0]!.write(Buffer.from(''))
  expect((await stream.next()).done, 'the stream goes on').toBe(false)
  stop.abort()
})

test('drain refuses new connections and new calls, and lets open calls go on', async () => {
  await using running = await startServer()
  const { server } = running
  using client = openBarClient(running.address)
  const stream = client
    .streamBars({ symbols: ['A'], intervals: ['1m'] }, new AbortController().signal)
    [Symbol.asyncIterator]()
  await stream.next()
  const silent = await dial(running)
  server.drain()
  await silent.ended
  await expect(client.listSymbols()).rejects.toMatchObject({ code: 14 })
  running.streams[0]!.write(Buffer.from(''))
  expect((await stream.next()).done, 'the stream goes on').toBe(false)
  const closing = server[Symbol.asyncDispose]()
  running.streams[0]!.fail(new RpcError('UNAVAILABLE', 'stopping'))
  await expect(stream.next()).rejects.toMatchObject({ code: 14, details: 'stopping' })
  await closing
  expect(server.connections).toBe(0)
})
