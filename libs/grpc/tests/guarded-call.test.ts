import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, openRawSession, rawCall, textField, until } from '@chart/testkit'
import { Server } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CallGuard, type IncomingCall, openBarClient, RpcError } from '../src/index.ts'
import { MESSAGE, startServer, type TestServer } from './test-server.ts'

afterEach(() => void vi.restoreAllMocks())

const LIST_SYMBOLS = '/chart.v1.ChartService/ListSymbols'
const STREAM_BARS = '/chart.v1.ChartService/StreamBars'
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'

test('every method of the server asks the guard, whoever made it', async () => {
  const registered = vi.spyOn(Server.prototype, 'register')
  const asked: string[] = []
  const guard: CallGuard = {
    admit({ method }) {
      asked.push(method)
      throw new RpcError('UNAUTHENTICATED', 'no')
    },
  }
  await using running = await startServer({ guard })
  const methods = registered.mock.calls.map(([path]) => path)
  expect(methods).toEqual(
    expect.arrayContaining([STREAM_BARS, LIST_SYMBOLS, REFLECTION, '/grpc.health.v1.Health/Watch']),
  )
  await using session = await openRawSession(running.server.port)
  for (const method of methods) {
    expect(await rawCall(session, method), method).toMatchObject({ code: 16, message: 'no', body: Buffer.alloc(0) })
  }
  expect(asked).toEqual(methods)
})

test('the guard is told who calls what, and when it has ended; each end is reported with its code', async () => {
  const calls: IncomingCall[] = []
  let open = 0
  const guard: CallGuard = {
    admit(call) {
      calls.push(call)
      open++
      return {
        keyId: 'desk-1',
        checkMessage() {},
        release() {
          open--
        },
      }
    },
  }
  await using running = await startServer({ guard })
  await using session = await openRawSession(running.server.port)
  await rawCall(session, LIST_SYMBOLS, { headers: { authorization: 'Bearer x' } })
  await until('it has ended', () => open === 0 && running.callEnds.length === 1)
  const peer = `127.0.0.1:${session.socket.localPort}`
  expect(calls).toEqual([{ method: LIST_SYMBOLS, peer, address: '127.0.0.1', authorization: ['Bearer x'] }])
  expect(running.callEnds[0]).toMatchObject({ method: LIST_SYMBOLS, peer, keyId: 'desk-1', code: 'OK' })
  expect(running.callEnds[0]!.refusal).toBeUndefined()

  using client = openBarClient(running.address)
  const stop = new AbortController()
  const stream = client.streamBars({ symbols: ['A'], intervals: ['1m'] }, stop.signal)[Symbol.asyncIterator]()
  await stream.next()
  expect(open).toBe(1)
  stop.abort()
  await until('the stream has ended', () => open === 0 && running.callEnds.length === 2)
  expect(running.callEnds[1]).toMatchObject({ method: STREAM_BARS, code: 'CANCELLED' })
})

test('a message that the guard refuses is not served', async () => {
  const guard: CallGuard = {
    admit: () => ({
      checkMessage() {
        throw new RpcError('PERMISSION_DENIED', 'not this')
      },
      release() {},
    }),
  }
  await using running = await startServer({ guard })
  await using session = await openRawSession(running.server.port)
  const body = messageOf(Buffer.concat([textField(1, 'A'), textField(2, '1m')]))
  expect(await rawCall(session, STREAM_BARS, { body })).toMatchObject({ code: 7, message: 'not this' })
  expect(running.streams).toEqual([])
  await until('it is reported', () => running.callEnds.length === 1)
  expect(running.callEnds[0]).toMatchObject({ code: 'PERMISSION_DENIED', refusal: 'not this' })
})

test('what a handler throws ends its call alone, is told to us and not to the caller', async () => {
  const handlers = {
    streamBars() {
      throw new Error('secret 1')
    },
    getLiveBar: async () => {
      throw new Error('secret 2')
    },
    listBars() {
      throw new Error('secret 3')
    },
    listSymbols: async () => ({ symbols: [] }),
  }
  await using running = await startServer({ handlers })
  await using session = await openRawSession(running.server.port)
  for (const method of ['StreamBars', 'GetLiveBar', 'ListBars']) {
    const answer = await rawCall(session, `/chart.v1.ChartService/${method}`)
    expect(answer).toMatchObject({ code: 14, message: 'the service cannot answer now; try again' })
  }
  expect(running.errors.map(error => (error as Error).message)).toEqual(['secret 1', 'secret 2', 'secret 3'])
  expect((await rawCall(session, LIST_SYMBOLS)).code).toBe(0)
})

test('what the guard itself throws is INTERNAL, and told to us', async () => {
  const guard: CallGuard = {
    admit() {
      throw new TypeError('secret')
    },
  }
  await using running = await startServer({ guard })
  await using session = await openRawSession(running.server.port)
  const answer = await rawCall(session, LIST_SYMBOLS)
  expect(answer).toMatchObject({ code: 13, message: 'the service failed at this call; try again' })
  expect(running.errors).toMatchObject([{ message: 'secret' }])
})

test('an address that makes calls without end is refused, then cut, then not let in', async () => {
  await using running = await startServer({ limits: { addressRate: { perSecond: 0.001, burst: 60 } } })
  await using session = await openRawSession(running.server.port)
  const closed = new Promise(resolve => session.once('close', resolve))
  const codes: (number | undefined)[] = []
  while (!session.closed && !session.destroyed) {
    const answer = await rawCall(session, LIST_SYMBOLS)
    codes.push(answer.code)
    if (answer.code === 8) expect(answer.message).toContain('too many calls from your address')
  }
  await closed
  expect(codes.slice(0, 50)).toEqual(Array(50).fill(0))
  expect(codes.slice(50, 150)).toEqual(Array(100).fill(8))
  expect(running.connectionEnds.map(end => end.reason)).toEqual(['too many calls refused'])
  await expect(openRawSession(running.server.port)).rejects.toThrow()
})

test('reflection answers a hundred questions in a call, not more', async () => {
  await using running = await startServer()
  await using session = await openRawSession(running.server.port)
  const question = messageOf(textField(7, ''))
  const answer = await rawCall(session, REFLECTION, { body: Buffer.concat(Array(100).fill(question)) })
  expect(answer.code).toBe(0)
  const more = await rawCall(session, REFLECTION, { body: Buffer.concat(Array(101).fill(question)) })
  expect(more).toMatchObject({ code: 8, message: 'more than 100 messages in one call; make another' })
})

test('watching the health of made-up services keeps nothing of their names', async () => {
  await using running = await startServer()
  await using session = await openRawSession(running.server.port)
  for (let index = 0; index < 50; index++) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Watch',
      'content-type': 'application/grpc',
    })
    const answered = new Promise<Buffer>(resolve => stream.once('data', resolve))
    stream.end(messageOf(textField(1, `made-up-${index}`)))
    // SERVICE_UNKNOWN
    expect([...(await answered)].slice(5)).toEqual([8, 3])
    stream.close()
  }
  await until('all have ended', () => running.callEnds.length === 50)
})

describe('a client that does not take what it asked for', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  /** Pings would be answered in real time only. */
  const limits = { keepaliveMs: 2 ** 31 - 1 }

  /** Begins a call and reads nothing of its answer. */
  async function callWithoutReading(running: TestServer, path: string): Promise<void> {
    const session = await openRawSession(running.server.port)
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
    stream.on('error', () => undefined)
    stream.end(messageOf(Buffer.concat([textField(1, 'A'), textField(2, '1m')])))
    stream.pause()
  }

  async function expectCut(running: TestServer): Promise<void> {
    vi.advanceTimersByTime(59_000)
    await nextTurn()
    expect(running.server.connections).toBe(1)
    vi.advanceTimersByTime(1_000)
    while (running.server.connections > 0) await nextTurn()
    expect(running.connectionEnds.map(end => end.reason)).toEqual(['does not read'])
  }

  test('of a stream that was ended is cut after a minute', async () => {
    await using running = await startServer({ limits })
    await callWithoutReading(running, STREAM_BARS)
    while (running.streams.length === 0) await nextTurn()
    const large = Buffer.concat(Array.from({ length: 1_000 }, () => MESSAGE))
    while (running.streams[0]!.write(large)) await nextTurn()
    running.streams[0]!.fail(new RpcError('RESOURCE_EXHAUSTED', 'read faster'))
    await expectCut(running)
  })

  test('of one answer is cut after a minute', async () => {
    let asked = false
    const symbols = Array(10_000).fill({ symbol: 'BTCUSDT', status: 'TRADING', intervals: ['1m'] })
    const listSymbols = async () => {
      asked = true
      return { symbols }
    }
    await using running = await startServer({ limits, handlers: { listSymbols } as never })
    await callWithoutReading(running, LIST_SYMBOLS)
    while (!asked) await nextTurn()
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    await expectCut(running)
  })
})
