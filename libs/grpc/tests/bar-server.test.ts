import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Client, credentials, loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BarClient, type BarServer, type BarStream, openBarClient, RpcError, serveBars } from '../src/index.ts'
import { packageDefinition } from '../src/proto.ts'
import { MESSAGE } from './test-server.ts'

let server: BarServer
let client: BarClient
let errors: unknown[]
let opened: PromiseWithResolvers<BarStream>

beforeEach(async () => {
  errors = []
  opened = Promise.withResolvers()
  server = await serveBars({
    host: '127.0.0.1',
    port: 0,
    handlers: {
      async streamBars(request, stream) {
        if (request.symbols[0] === 'REFUSED') throw new RpcError('NOT_FOUND', 'symbols[0] REFUSED is not served')
        if (request.symbols[0] === 'BROKEN') throw new Error('password 1234')
        stream.write(MESSAGE)
        opened.resolve(stream)
      },
      getLiveBar: request =>
        Promise.reject(request.symbol === 'BROKEN' ? new Error('x') : new RpcError('NOT_FOUND', 'no')),
      listBars: async request => ({ bars: [], nextPageToken: `${request.order} ${request.startTime?.seconds}` }),
      listSymbols: async () => ({ symbols: [] }),
    },
    onError: error => errors.push(error),
  })
  client = openBarClient(`127.0.0.1:${server.port}`)
})

afterEach(async () => {
  client[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

const openCall = (symbol = 'A', signal = new AbortController().signal) =>
  client.streamBars({ symbols: [symbol], intervals: ['1m'] }, signal)[Symbol.asyncIterator]()

describe('a stream', () => {
  test('carries ready bytes as they are', async () => {
    const call = openCall()
    const { value } = await call.next()
    expect(value.events).toHaveLength(1)
    expect(value.events[0]).toMatchObject({
      type: 'BAR_EVENT_TYPE_UPDATE',
      tradeTime: { seconds: 0, nanos: 1_000_000 },
    })
    await call.return?.()
  })

  test.each(['break', 'abort'])('tells the server once when the client goes: %s', async how => {
    const stop = new AbortController()
    const call = openCall('A', stop.signal)
    await call.next()
    const stream = await opened.promise
    let closed = 0
    const gone = new Promise<void>(resolve => {
      stream.onClose(() => {
        closed++
        resolve()
      })
    })
    if (how === 'abort') stop.abort()
    else await call.return?.()
    await gone
    if (how === 'abort') expect((await call.next()).done).toBe(true)
    expect(stream.write(MESSAGE)).toBe(false)
    stream.fail(new RpcError('UNAVAILABLE', 'too late'))
    expect(closed).toBe(1)
    let told = false
    stream.onClose(() => {
      told = true
    })
    expect(told, 'a listener that comes after the end').toBe(true)
  })

  test('that cannot be served ends with the documented code, and nothing is logged', async () => {
    await expect(openCall('REFUSED').next()).rejects.toMatchObject({
      code: 5,
      details: 'symbols[0] REFUSED is not served',
    })
    expect(errors).toEqual([])
  })

  test('that fails inside ends with UNAVAILABLE, which tells nothing of why; the log has it', async () => {
    const call = openCall('BROKEN').next()
    await expect(call).rejects.toMatchObject({ code: 14, details: 'the service cannot answer now; try again' })
    expect(errors).toMatchObject([{ message: 'password 1234' }])
  })

  test('to a client that does not read says so after few messages, and drains when it reads again', async () => {
    const call = openCall()
    await call.next()
    const stream = await opened.promise
    const large = Buffer.concat(Array.from({ length: 1_000 }, () => MESSAGE))
    let written = 1
    while (stream.write(large)) {
      written++
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(written).toBeLessThan(200)
    const drained = new Promise<void>(resolve => stream.onDrain(resolve))
    for (let read = 0; read <= written - 1; read++) expect((await call.next()).done).toBe(false)
    await drained
    expect(stream.write(MESSAGE)).toBe(true)
    await call.return?.()
  })

  test('of half a megabyte is not followed by others while it waits', async () => {
    const call = openCall()
    await call.next()
    const stream = await opened.promise
    const large = Buffer.concat(Array.from({ length: Math.ceil((512 * 1024) / MESSAGE.length) }, () => MESSAGE))
    let written = 1
    while (stream.write(large)) {
      written++
      await new Promise(resolve => setImmediate(resolve))
    }
    // The client's own window takes two; grpc-js alone would take sixteen more.
    expect(written).toBeLessThan(8)
    await call.return?.()
  })
})

test('unary calls answer, refuse and fail with their codes', async () => {
  expect(await client.listSymbols()).toEqual({ symbols: [] })
  const page = await client.listBars({ symbol: 'A', interval: '1m', startTime: { seconds: 7, nanos: 0 } })
  expect(page.nextPageToken).toBe('BAR_ORDER_UNSPECIFIED 7')
  await expect(client.getLiveBar({ symbol: 'A', interval: '1m' })).rejects.toMatchObject({ code: 5, details: 'no' })
  await expect(client.getLiveBar({ symbol: 'BROKEN', interval: '1m' })).rejects.toMatchObject({ code: 14 })
})

test('a request beyond 256 KiB is refused', async () => {
  const symbols = Array.from({ length: 30_000 }, (_, index) => `S${index}USDT`)
  const call = client.streamBars({ symbols, intervals: ['1m'] }, new AbortController().signal)[Symbol.asyncIterator]()
  await expect(call.next()).rejects.toMatchObject({ code: 8 })
})

test('a port in use is an error that names it', async () => {
  const again = serveBars({ host: '127.0.0.1', port: server.port, handlers: {} as never, onError() {} })
  await expect(again).rejects.toThrow(new RegExp(`gRPC port 127.0.0.1:${server.port} cannot be used .*EADDRINUSE`))
})

/** A client made of some package's .proto alone, as a tool has it. */
function rawClient(
  file: string,
  directory: string,
  service: string,
): Client & Record<string, (...args: never[]) => unknown> {
  const definition = loadSync(file, {
    includeDirs: [directory],
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  })
  const found = service
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], loadPackageDefinition(definition))
  return new (found as new (...args: unknown[]) => never)(`127.0.0.1:${server.port}`, credentials.createInsecure())
}

const packagesOf = createRequire(import.meta.url)
const directoryOf = (name: string) => join(dirname(packagesOf.resolve(`${name}/package.json`)))

describe('tools find their way', () => {
  test('grpc.health.v1 answers as it is told, for the server and for the service', async () => {
    const health = rawClient(
      'health/v1/health.proto',
      join(directoryOf('grpc-health-check'), 'proto'),
      'grpc.health.v1.Health',
    )
    const check = (service: string) =>
      new Promise((resolve, reject) => {
        const answer = (error: Error | null, value: { status: string }) =>
          error ? reject(error) : resolve(value.status)
        health.check!({ service } as never, answer as never)
      })
    try {
      for (const service of ['', 'chart.v1.ChartService']) expect(await check(service)).toBe('NOT_SERVING')
      server.setServing(true)
      for (const service of ['', 'chart.v1.ChartService']) expect(await check(service)).toBe('SERVING')
      await expect(check('other.Service')).rejects.toMatchObject({ code: 5 })
    } finally {
      health.close()
    }
  })

  test.each(['v1', 'v1alpha'])('reflection %s lists the service and gives its files', async version => {
    const file = `grpc/reflection/${version}/reflection.proto`
    const service = `grpc.reflection.${version}.ServerReflection`
    const reflection = rawClient(file, join(directoryOf('@grpc/reflection'), 'build/proto'), service)
    try {
      const call = reflection.serverReflectionInfo!() as never as NodeJS.ReadWriteStream & { end(): void }
      const ask = async (request: object) => {
        call.write(request as never)
        return (await once(call, 'data'))[0]
      }
      const { listServicesResponse } = await ask({ listServices: '' })
      const names = listServicesResponse.service.map((one: { name: string }) => one.name)
      expect(names.toSorted()).toEqual(['chart.v1.ChartService', 'grpc.health.v1.Health'])
      const { fileDescriptorResponse } = await ask({ fileContainingSymbol: 'chart.v1.ChartService' })
      const files = fileDescriptorResponse.fileDescriptorProto.map(String).join()
      for (const name of ['StreamBarsRequest', 'next_page_token', 'open_time']) {
        expect(files).toContain(name)
      }
      const timestamps = await ask({ fileContainingSymbol: 'google.protobuf.Timestamp' })
      expect(timestamps.fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0)
      call.end()
      await once(call, 'end')
    } finally {
      reflection.close()
    }
  })
})

test('closing waits for calls that end by themselves and cuts those that do not', async () => {
  const call = openCall()
  await call.next()
  const stream = await opened.promise
  const closing = server[Symbol.asyncDispose]()
  stream.fail(new RpcError('UNAVAILABLE', 'stopping'))
  await expect(call.next()).rejects.toMatchObject({ code: 14, details: 'stopping' })
  await closing
  expect(Object.keys(packageDefinition)).toContain('chart.v1.ChartService')
})
