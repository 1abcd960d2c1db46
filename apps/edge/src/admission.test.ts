import { hashOfSecret, newApiKey, textOfApiKey } from '@chart/grpc'
import { expect, test } from 'vitest'
import { CallAdmission } from './admission.ts'
import { keyRingOf } from './key-ring.ts'

const LIMITS = { streams: 2, newStreamsPerSecond: 1, listBarsPerSecond: 1, callsPerSecond: 1 }
const STREAM = '/chart.v1.ChartService/StreamBars'
const LIST = '/chart.v1.ChartService/ListBars'
const LIVE = '/chart.v1.ChartService/GetLiveBar'
const SYMBOLS = '/chart.v1.ChartService/ListSymbols'
const HEALTH = '/grpc.health.v1.Health/Check'
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
const FROM_NOW = { startTime: null, positions: [] }

const keys = ['live', 'history', 'both', 'small'].map(id => newApiKey(id))
const scopesOf = (id: string) => (id === 'both' || id === 'small' ? ['live', 'history'] : [id])
const ring = keyRingOf(
  JSON.stringify(
    keys.map(({ id, secret }) => ({
      id,
      sha256: hashOfSecret(secret),
      scopes: scopesOf(id),
      limits: id === 'small' ? { streams: 1 } : {},
    })),
  ),
)

function admission(over: { streamsMax?: number; open?: boolean } = {}) {
  let time = 0
  const guard = new CallAdmission({
    keys: over.open ? undefined : () => ring,
    callerLimits: LIMITS,
    streamsMax: over.streamsMax ?? 100,
    now: () => time,
  })
  return {
    call(method: string, id?: string, address = '10.0.0.1') {
      const key = keys.find(one => one.id === id)
      const authorization = key === undefined ? [] : [`Bearer ${textOfApiKey(key)}`]
      return guard.admit({ method, peer: `${address}:1`, address, authorization })
    },
    wait(ms: number) {
      time += ms
    },
  }
}

const refusedWith = (rpcCode: string, message = '') =>
  expect.objectContaining({ rpcCode, message: expect.stringContaining(message) })

test('without a key only health answers', () => {
  const { call } = admission()
  for (const method of [STREAM, LIST, LIVE, SYMBOLS, REFLECTION]) {
    expect(() => call(method)).toThrow(refusedWith('UNAUTHENTICATED'))
  }
  expect(call(HEALTH).keyId).toBeUndefined()
})

test('a key does what its scopes are for', () => {
  const { call } = admission()
  for (const method of [STREAM, LIVE, SYMBOLS, REFLECTION]) expect(call(method, 'live').keyId).toBe('live')
  expect(() => call(LIST, 'live')).toThrow(refusedWith('PERMISSION_DENIED', 'ask for the scope "history"'))
  for (const method of [LIST, SYMBOLS, REFLECTION]) expect(call(method, 'history').keyId).toBe('history')
  for (const method of [STREAM, LIVE]) {
    expect(() => call(method, 'history')).toThrow(refusedWith('PERMISSION_DENIED', 'ask for the scope "live"'))
  }
})

test('a stream from a start time reads the past; one that goes on from positions, however old, does not', () => {
  const { call } = admission()
  const past = { ...FROM_NOW, startTime: { seconds: 1, nanos: 0 } }
  const old = { openTime: { seconds: 1, nanos: 0 }, state: 'BAR_STATE_LIVE', revision: 0, lastTradeId: 1 }
  const resumed = { ...FROM_NOW, positions: [{ symbol: 'A', interval: '1m', newest: old, corrected: [] }] }
  const stream = call(STREAM, 'live')
  expect(() => stream.checkMessage(past)).toThrow(refusedWith('PERMISSION_DENIED', 'StreamBars with start_time'))
  stream.checkMessage(FROM_NOW)
  stream.checkMessage(resumed)
  call(STREAM, 'both').checkMessage(past)
})

test('streams are bounded for each key, and one that ends makes room', () => {
  const { call } = admission()
  const first = call(STREAM, 'live')
  call(STREAM, 'live')
  expect(() => call(STREAM, 'live')).toThrow(refusedWith('RESOURCE_EXHAUSTED', '2 streams are open already'))
  call(STREAM, 'both')
  first.release()
  call(STREAM, 'live')
  call(STREAM, 'small')
  expect(() => call(STREAM, 'small')).toThrow(refusedWith('RESOURCE_EXHAUSTED', '1 streams are open already'))
})

test('all streams of a key may come at once and come again at once; then they come as fast as is granted', () => {
  const { call, wait } = admission()
  const openAndEnd = () => call(STREAM, 'live').release()
  for (let count = 0; count < 4; count++) openAndEnd()
  expect(openAndEnd).toThrow(refusedWith('RESOURCE_EXHAUSTED', 'more than 1 new streams a second'))
  wait(1_000)
  openAndEnd()
  expect(openAndEnd).toThrow(refusedWith('RESOURCE_EXHAUSTED'))
})

test('ListBars and other calls have a rate each', () => {
  const { call, wait } = admission()
  for (let count = 0; count < 10; count++) call(LIST, 'both').release()
  expect(() => call(LIST, 'both')).toThrow(refusedWith('RESOURCE_EXHAUSTED', 'ListBars calls a second'))
  for (let count = 0; count < 10; count++) call(count % 2 ? LIVE : SYMBOLS, 'both').release()
  expect(() => call(LIVE, 'both')).toThrow(refusedWith('RESOURCE_EXHAUSTED', 'calls a second; follow a stream'))
  call(STREAM, 'both')
  wait(1_000)
  call(LIST, 'both')
  call(LIVE, 'both')
})

test('reflection and watched health are bounded by how many are open', () => {
  const { call } = admission({ open: true })
  const open = Array.from({ length: 20 }, () => call(REFLECTION))
  expect(() => call(REFLECTION)).toThrow(refusedWith('RESOURCE_EXHAUSTED', '20 such calls are open already'))
  open[0]!.release()
  call(REFLECTION)
})

test('where no keys are asked for, each address is a caller of its own and may do everything', () => {
  const { call } = admission({ open: true })
  call(STREAM, undefined, '10.0.0.1').checkMessage({ ...FROM_NOW, startTime: { seconds: 1, nanos: 0 } })
  call(STREAM, undefined, '10.0.0.1')
  expect(() => call(STREAM, undefined, '10.0.0.1')).toThrow(refusedWith('RESOURCE_EXHAUSTED'))
  call(STREAM, undefined, '10.0.0.2')
})

test('streams are bounded in all', () => {
  const { call } = admission({ streamsMax: 3 })
  const open = [call(STREAM, 'live'), call(STREAM, 'live'), call(STREAM, 'both')]
  expect(() => call(STREAM, 'both')).toThrow(refusedWith('RESOURCE_EXHAUSTED', 'this edge has 3 streams'))
  call(LIST, 'both')
  open[1]!.release()
  call(STREAM, 'both')
})

test('callers that come and go are not remembered for ever, those that owe something are', () => {
  const { call, wait } = admission({ open: true })
  for (let index = 0; index < 60_000; index++) {
    call(SYMBOLS, undefined, `10.${index}`).release()
    wait(1)
  }
  for (let count = 0; count < 10; count++) call(SYMBOLS, undefined, 'x').release()
  expect(() => call(SYMBOLS, undefined, 'x')).toThrow(refusedWith('RESOURCE_EXHAUSTED'))
})
