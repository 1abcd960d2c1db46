import { type CallGuard, RpcError } from '@chart/grpc'
import { type Certificate, createTestCa, type TestCa } from '@chart/testkit/certificates'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ChartClient, type ChartClientOptions, openChartClient } from '../src/index.ts'
import { ScriptedEdge, snapshot } from './scripted-edge.ts'

/** What a client shows an edge, and what it wants to be shown. */

const SERIES = { symbols: ['BTCUSDT'], intervals: ['1m'] }

let ca: TestCa
let own: Certificate

beforeAll(async () => {
  ca = await createTestCa('Ours')
  own = await ca.issue('edge')
})

let stack: AsyncDisposableStack
beforeEach(() => {
  stack = new AsyncDisposableStack()
})
afterEach(() => stack.disposeAsync())

async function startEdge(server: NonNullable<Parameters<typeof ScriptedEdge.start>[0]>['server']) {
  return stack.use(await ScriptedEdge.start({ ...(server && { server }), onCall: call => call.tell([snapshot(1)]) }))
}

function open(edge: ScriptedEdge, options: ChartClientOptions): ChartClient {
  return stack.use(openChartClient({ address: `127.0.0.1:${edge.port}`, connectWithinMs: 1_000, ...options }))
}

async function firstBar(client: ChartClient): Promise<number> {
  const stream = client.bars(SERIES)
  const { value } = await stream.next()
  await stream.return()
  return value!.openTime
}

describe('over TLS', () => {
  test('streams and single calls go to an edge whose issuer is believed', async () => {
    const client = open(await startEdge({ tls: own }), { tls: { ca: ca.cert } })
    expect(await firstBar(client)).toBe(60_000)
    expect(await client.symbols()).toEqual([])
  })

  test('nothing goes to another one, and the reason is said', async () => {
    const others = await createTestCa('Others')
    const edge = await startEdge({ tls: own })
    const client = open(edge, { tls: { ca: others.cert } })
    await expect(firstBar(client)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/no connection: .*(unable to verify|self.signed|signature)/),
    })
    expect(edge.calls).toHaveLength(0)
  })

  test('the certificate is of the name of the address, or of the one that is asked for', async () => {
    const named = await ca.issue('edge', ['edge.test'])
    const edge = await startEdge({ tls: named })
    await expect(firstBar(open(edge, { tls: { ca: ca.cert } }))).rejects.toThrow(/altnames|not in the cert/)
    expect(await firstBar(open(edge, { tls: { ca: ca.cert, serverName: 'edge.test' } }))).toBe(60_000)
  })

  test('an edge that asks for a certificate is shown one', async () => {
    const edge = await startEdge({ tls: { ...own, clientCa: ca.cert } })
    await expect(firstBar(open(edge, { tls: { ca: ca.cert } }))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const { cert, key } = await ca.issue('client')
    expect(await firstBar(open(edge, { tls: { ca: ca.cert, cert, key } }))).toBe(60_000)
    expect(() => open(edge, { tls: { ca: ca.cert, cert } })).toThrow('tls.cert and tls.key go together')
  })
})

describe('an API key', () => {
  /** Lets in who shows `key`. */
  const guardOf = (key: string, shown: string[]): CallGuard => ({
    admit({ authorization }) {
      shown.push(...authorization)
      if (authorization[0] !== `Bearer ${key}`) throw new RpcError('UNAUTHENTICATED', 'the API key is not known')
      return { checkMessage() {}, release() {} }
    },
  })

  test('goes with streams and single calls', async () => {
    const shown: string[] = []
    const client = open(await startEdge({ guard: guardOf('key-1', shown) }), { apiKey: 'key-1' })
    expect(await firstBar(client)).toBe(60_000)
    await client.symbols()
    expect(shown).toEqual(['Bearer key-1', 'Bearer key-1'])
  })

  test('that is wrong is said at once, with what to do, and never tried again', async () => {
    const shown: string[] = []
    const client = open(await startEdge({ guard: guardOf('key-1', shown) }), { apiKey: 'key-2' })
    const refused = { code: 'UNAUTHENTICATED', message: expect.stringContaining('give a valid apiKey') }
    await expect(firstBar(client)).rejects.toMatchObject(refused)
    await expect(client.symbols()).rejects.toMatchObject(refused)
    expect(shown).toHaveLength(2)
  })

  test('that is taken away ends a stream that ran when it calls again', async () => {
    const shown: string[] = []
    let key = 'key-1'
    const guard: CallGuard = { admit: call => guardOf(key, shown).admit(call) }
    const edge = await startEdge({ guard })
    const stream = open(edge, { apiKey: 'key-1' }).bars(SERIES)
    await stream.next()
    key = 'key-2'
    edge.calls[0]!.fail('UNAVAILABLE')
    await expect(stream.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})
