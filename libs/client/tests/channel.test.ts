import { RpcError } from '@chart/grpc'
import { startDnsServer, startTcpLink, type TcpLink, until } from '@chart/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ChartClient, ChartError, openChartClient } from '../src/index.ts'
import { heartbeat, positionAt, ScriptedEdge, snapshot, soon, update } from './scripted-edge.ts'

/** Which edges a client calls, and what it does when none is there. */

const SERIES = { symbols: ['BTCUSDT'], intervals: ['1m'] }
const NAME = 'edge.test'

const stack: AsyncDisposableStack[] = []
beforeEach(() => {
  stack.push(new AsyncDisposableStack())
})
afterEach(() => stack.pop()!.disposeAsync())
const use = <Value extends AsyncDisposable>(value: Value) => stack.at(-1)!.use(value)

/** An edge that tells its number to every call, as a pod of its own: at 127.0.0.number, behind a link that can be cut. */
interface Pod {
  readonly edge: ScriptedEdge
  readonly link: TcpLink
}

/** Pods that share one port. */
async function startPods(count: number): Promise<{ pods: Pod[]; port: number }> {
  const pods: Pod[] = []
  for (let number = 1; number <= count; number++) pods.push(await startPod(number, pods[0]?.link.port))
  return { pods, port: pods[0]!.link.port }
}

async function startPod(number: number, port = 0): Promise<Pod> {
  const edge = use(await ScriptedEdge.start({ onCall: call => call.tell([heartbeat(`EDGE${number}`)]) }))
  return { edge, link: use(await startTcpLink(edge.port, { host: `127.0.0.${number}`, port })) }
}

function open(options: Parameters<typeof openChartClient>[0]): ChartClient {
  return use(openChartClient(options))
}

/** Follows a stream and notes which edge told each heartbeat, and when. */
function follow(client: ChartClient) {
  const stop = new AbortController()
  const heard: { edge: string; atMs: number }[] = []
  const work = (async () => {
    for await (const event of client.events({ ...SERIES, signal: stop.signal })) {
      if (event.event === 'heartbeat') heard.push({ edge: event.feed.symbol, atMs: performance.now() })
    }
  })()
  return {
    heard,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await work
    },
  }
}

describe('several edges', () => {
  test.each(['addresses', 'name'] as const)('by %s are called in turn', async how => {
    const { pods, port } = await startPods(3)
    const dns = use(await startDnsServer({ [NAME]: ['127.0.0.1', '127.0.0.2', '127.0.0.3'] }))
    const address =
      how === 'name'
        ? `dns://${dns.address}/${NAME}:${port}`
        : [1, 2, 3].map(number => `127.0.0.${number}:${port}`).join(',')
    const client = open({ address })
    const streams: ReturnType<typeof follow>[] = []
    await until('each edge has a call', () => {
      if (streams.every(({ heard }) => heard.length > 0)) streams.push(use(follow(client)))
      return pods.every(({ edge }) => edge.calls.length > 0)
    })
  })

  test('an edge that is killed is left at once for another', async () => {
    const { pods, port } = await startPods(3)
    const client = open({ address: [1, 2, 3].map(number => `127.0.0.${number}:${port}`).join(',') })
    const { heard } = use(follow(client))
    await until('it is told something', () => heard.length === 1)
    await until('all edges are connected', async () => {
      await client.symbols()
      return pods.every(({ link }) => link.connections > 0)
    })
    const first = Number(heard[0]!.edge.slice('EDGE'.length))
    await pods[first - 1]!.link.close()
    await until('another edge tells', () => heard.length > 1)
    expect(heard[1]!.edge).not.toBe(heard[0]!.edge)
  })

  test('a new edge behind the name is called when an edge asks its clients to go elsewhere', async () => {
    const { pods, port } = await startPods(1)
    const dns = use(await startDnsServer({ [NAME]: ['127.0.0.1'] }))
    const client = open({ address: `dns://${dns.address}/${NAME}:${port}`, resolveEveryMs: 50 })
    const { heard } = use(follow(client))
    await until('it is told something', () => heard.length === 1)
    const joined = await startPod(2, port)
    dns.set(NAME, ['127.0.0.1', '127.0.0.2'])
    await until('the client knows the new edge', () => joined.link.connections > 0)
    // In turn: the second of two calls at the latest.
    for (let end = 0; end < 2 && joined.edge.calls.length === 0; end++) {
      const count = heard.length
      const call = pods[0]!.edge.calls.at(-1)!
      call.tell([], [positionAt(5, 'LIVE')])
      call.fail('UNAVAILABLE', 'this edge wants its clients spread anew')
      await until('the stream goes on', () => heard.length > count)
    }
    expect(joined.edge.calls).toHaveLength(1)
  })

  test('a name that loses its addresses for a while costs nothing', async () => {
    const { pods, port } = await startPods(1)
    const dns = use(await startDnsServer({ [NAME]: ['127.0.0.1'] }))
    const client = open({ address: `dns://${dns.address}/${NAME}:${port}`, resolveEveryMs: 20 })
    const { heard } = use(follow(client))
    await until('it is told something', () => heard.length === 1)
    dns.set(NAME, [])
    const asked = dns.questions
    await until('the name was looked up', () => dns.questions > asked + 4)
    expect(await client.symbols()).toEqual([])
    expect(pods[0]!.edge.calls).toHaveLength(1)
    pods[0]!.edge.calls[0]!.tell([heartbeat('EDGE1')])
    await until('the call goes on', () => heard.length === 2)
  })
})

describe('where no edge is', () => {
  const failureOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      error => error as ChartError,
    )

  test('a stream tries for as long as it was told, and then says why, with the address', async () => {
    const client = open({ address: '127.0.0.1:1', connectWithinMs: 500 })
    const error = await failureOf(client.bars(SERIES).next())
    expect(error).toBeInstanceOf(ChartError)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', address: '127.0.0.1:1' })
    expect(error!.message).toBe(
      'no connection: connect ECONNREFUSED 127.0.0.1:1 (UNAVAILABLE from 127.0.0.1:1; see whether an edge runs there)',
    )
  })

  test('a client that is not to wait fails at once', async () => {
    const client = open({ address: '127.0.0.1:1', connectWithinMs: 0 })
    expect(await failureOf(client.bars(SERIES).next())).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await failureOf(client.symbols())).toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('a name that is none is said', async () => {
    const dns = use(await startDnsServer())
    const client = open({ address: `dns://${dns.address}/nowhere.test:1`, connectWithinMs: 500 })
    expect((await failureOf(client.bars(SERIES).next()))?.message).toMatch(
      /no edge is known: .*ENOTFOUND.*nowhere\.test/,
    )
  })

  test('a stream and a single call wait for one that starts a moment later', async () => {
    const taken = await ScriptedEdge.start()
    const { port } = taken
    await taken[Symbol.asyncDispose]()
    const client = open({ address: `127.0.0.1:${port}` })
    const { heard } = use(follow(client))
    const symbols = client.symbols()
    await until('the first attempt failed', async () => {
      const probe = openChartClient({ address: `127.0.0.1:${port}`, connectWithinMs: 0 })
      const failed = await failureOf(probe.symbols())
      probe[Symbol.dispose]()
      return failed !== undefined
    })
    await startPod(1, port)
    await until('it is told something', () => heard.length === 1)
    expect(await symbols).toEqual([])
  })

  test('a stream that ran goes on when the only edge comes back', async () => {
    const { pods, port } = await startPods(1)
    const client = open({ address: `127.0.0.1:${port}`, connectWithinMs: 0 })
    const { heard } = use(follow(client))
    await until('it is told something', () => heard.length === 1)
    await pods[0]!.link.close()
    await startPod(1, port)
    await until('it is told something again', () => heard.length === 2)
  })
})

/** Some 75 kB. */
function longPage() {
  return { bars: Array.from({ length: 500 }, (_, minute) => snapshot(minute).bar!), nextPageToken: '' }
}

describe('single calls', () => {
  test('are made again when an edge says that it cannot answer now', async () => {
    let calls = 0
    const edge = use(
      await ScriptedEdge.start({
        handlers: {
          listSymbols: async () => {
            if (++calls < 3) throw new RpcError('UNAVAILABLE', 'not now')
            return { symbols: [] }
          },
        },
      }),
    )
    expect(await open({ address: `127.0.0.1:${edge.port}` }).symbols()).toEqual([])
    expect(calls).toBe(3)
  })

  test('are made again when the connection breaks inside the answer', async () => {
    const edge = use(await ScriptedEdge.start({ handlers: { listBars: async () => longPage() } }))
    const link = use(await startTcpLink(edge.port))
    const client = open({ address: link.address })
    await client.symbols()
    link.cutAfter(20_000)
    expect((await client.listBarsPage({ symbol: 'BTCUSDT', interval: '1m' })).bars).toHaveLength(500)
    expect(link.connections).toBe(1)
  })

  test('have a deadline', async () => {
    const edge = use(await ScriptedEdge.start({ handlers: { getLiveBar: () => new Promise(() => undefined) } }))
    const client = open({ address: `127.0.0.1:${edge.port}`, deadlineMs: 200 })
    await expect(client.liveBar('BTCUSDT', '1m')).rejects.toMatchObject({
      name: 'ChartError',
      code: 'DEADLINE_EXCEEDED',
    })
  })

  test('listBars reads page after page, and no page that is not wanted', async () => {
    const tokens: string[] = []
    const edge = use(
      await ScriptedEdge.start({
        handlers: {
          listBars: async request => {
            tokens.push(`${request.pageToken} ${request.pageSize} ${request.startTime?.seconds} ${request.order}`)
            const page = Number(request.pageToken || '0')
            return {
              bars: [snapshot(page).bar!, snapshot(page + 1).bar!],
              nextPageToken: page < 4 ? `${page + 2}` : '',
            }
          },
        },
      }),
    )
    const client = open({ address: `127.0.0.1:${edge.port}` })
    const list = { symbol: 'BTCUSDT', interval: '1m', startTime: 60_000 } as const
    const minutes: number[] = []
    for await (const { openTime } of client.listBars(list)) minutes.push(openTime / 60_000)
    expect(minutes).toEqual([0, 1, 2, 3, 4, 5])
    expect(tokens).toEqual(['', '2', '4'].map(token => `${token} 1000 60 BAR_ORDER_OLDEST_FIRST`))
    for await (const { openTime } of client.listBars({ ...list, order: 'newest-first', pageSize: 2 })) {
      expect(openTime).toBe(0)
      break
    }
    expect(tokens.slice(3)).toEqual([' 2 60 BAR_ORDER_NEWEST_FIRST'])
    const page = await client.listBarsPage({ ...list, pageToken: '4' })
    expect(page.nextPageToken).toBeUndefined()
  })
})

test('a reader that takes its time slows the edge, and other calls of the client go on', async () => {
  const edge = use(await ScriptedEdge.start())
  const client = open({ address: `127.0.0.1:${edge.port}` })
  const arrived = edge.call()
  const stream = client.bars(SERIES)
  const first = stream.next()
  const call = await arrived
  call.tell([snapshot(0, 0)])
  await first
  // Until the edge has to wait: what the client has not read is bounded by windows and buffers.
  let sent = 0
  const RESPONSE_EVENTS = 500
  const events = (from: number) => Array.from({ length: RESPONSE_EVENTS }, (_, index) => update(0, from + index + 1))
  const SENT_MAX = 200
  while (sent < SENT_MAX && call.tell(events(sent * RESPONSE_EVENTS))) {
    sent++
    await client.symbols()
  }
  expect(sent).toBeLessThan(SENT_MAX)
  let drained = false
  call.stream.onDrain(() => {
    drained = true
  })
  for (let n = 0; n < 20; n++) await client.symbols()
  expect(drained, 'while nothing is read').toBe(false)
  for (let tradeId = 1; tradeId <= (sent + 1) * RESPONSE_EVENTS; tradeId++) {
    const { value } = await soon(`trade ${tradeId}`, stream.next())
    expect(value?.lastTradeId).toBe(tradeId)
  }
  await until('the edge may write again', () => drained)
})

describe('an API key', () => {
  test('is not sent in plain text over a network', () => {
    expect(() => openChartClient({ address: '10.0.0.1:50051', apiKey: 'secret' })).toThrow(
      /^the API key would be sent to 10\.0\.0\.1:50051 in plain text; use TLS/,
    )
    openChartClient({ address: '10.0.0.1:50051', apiKey: 'secret', allowKeyInPlainText: true })[Symbol.dispose]()
    openChartClient({ address: '10.0.0.1:50051', apiKey: 'secret', tls: true })[Symbol.dispose]()
    openChartClient({ address: 'localhost:50051', apiKey: 'secret' })[Symbol.dispose]()
  })
})
