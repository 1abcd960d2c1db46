import { setTimeout as sleep } from 'node:timers/promises'
import { type ChartClient, openChartClient, type StreamedBar } from '@chart/client'
import { type BarText, intervalsOf } from '@chart/market'
import { closeRedis, openRedis, type RedisConnection } from '@chart/redis'
import { freePort } from '@chart/servers'
import { type AppProcess, type DnsServer, killApps, PATIENT, runApp, startDnsServer, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Servers, startServers } from './fresh-servers.ts'
import { TestAggregator, tradeOf, tradesOf } from './test-aggregator.ts'

const INTERVALS = intervalsOf(['1m', '5m'])
const NAME = 'edge.test'
/** Three addresses of this machine, as three pods behind one name. */
const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
/** Three trades a minute of the market, so that a bar closes in every third commit. */
const EVERY_MS = 20_000
const COMMIT_EVERY_MS = 100

let servers: Servers
let redis: RedisConnection
let names: DnsServer
/** A symbol of its own for each test. */
let symbol: string
let market: TestAggregator
let tests = 0
let port: number

beforeAll(async () => {
  servers = await startServers()
  redis = await openRedis(servers.redis.url, 'test', PATIENT)
})
afterAll(async () => {
  closeRedis(redis)
  await servers[Symbol.asyncDispose]()
})

beforeEach(async () => {
  names = await startDnsServer()
  port = await freePort()
  symbol = `DRAIN${tests++}USDT`
  market = await TestAggregator.open(redis, symbol, INTERVALS)
  await redis.del(`log:${market.tag}`, `heads:${market.tag}`, `position:${market.tag}`, `pending:${market.tag}`)
  await market.register(symbol)
  await market.commit({ [symbol]: tradesOf(1, 4, EVERY_MS) })
})
afterEach(async () => {
  await killApps()
  await names[Symbol.asyncDispose]()
})

/** Trades that go on until `stop`. */
async function trade(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await market.commit({ [symbol]: [tradeOf(market.lastTradeId(symbol) + 1, EVERY_MS)] })
    await sleep(COMMIT_EVERY_MS)
  }
}

/** The edge as it is deployed, at one of the addresses. */
async function startPod(host: string, env: Record<string, string> = {}): Promise<AppProcess> {
  const pod = runApp('edge', {
    REDIS_URL: servers.redis.url,
    DATABASE_URL: servers.postgres.url,
    GRPC_HOST: host,
    GRPC_PORT: String(port),
    INTERVALS: INTERVALS.map(({ name }) => name).join(','),
    DRAIN_SPREAD_MS: '1000',
    ...env,
  })
  await until('the edge listens', () => {
    if (pod.child.exitCode !== null) throw new Error(pod.output.text)
    return pod.output.text.includes('"gRPC listening"')
  })
  return pod
}

/** One reader's stream: what it was told of closed bars, and how far it has come. */
class Reader {
  readonly closed: BarText[] = []
  first: StreamedBar | undefined
  lastTradeId = -1
  reconnects = 0
  error: unknown

  read(client: ChartClient, signal: AbortSignal): Promise<void> {
    const onReconnect = () => {
      this.reconnects++
    }
    const stream = client.bars({ symbols: [symbol], intervals: ['1m'], mode: 'latest', signal, onReconnect })
    return this.#take(stream).catch(error => {
      this.error = error
    })
  }

  async #take(stream: AsyncIterable<StreamedBar>): Promise<void> {
    for await (const one of stream) {
      const { event, tradeTime: _, merged: __, ...bar } = one
      this.first ??= one
      if (event === 'closed') this.closed.push(bar as BarText)
      else this.lastTradeId = Math.max(this.lastTradeId, bar.lastTradeId)
    }
  }
}

/** Streams on connections of their own for each hundred, as an edge allows. */
const STREAMS_PER_CLIENT = 100

async function withReaders(count: number, work: (readers: readonly Reader[]) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const address = `dns://${names.address}/${NAME}:${port}`
  const clients = Array.from({ length: Math.ceil(count / STREAMS_PER_CLIENT) }, () =>
    openChartClient({ address, resolveEveryMs: 500 }),
  )
  const readers = Array.from({ length: count }, () => new Reader())
  const reading = readers.map((reader, index) =>
    reader.read(clients[Math.floor(index / STREAMS_PER_CLIENT)]!, stop.signal),
  )
  const trading = trade(stop.signal)
  try {
    await work(readers)
  } finally {
    stop.abort()
    await Promise.all([...reading, trading])
    for (const client of clients) client[Symbol.dispose]()
  }
}

/** Everyone has heard of a trade that is made from now on. */
async function untilAllHear(readers: readonly Reader[]): Promise<void> {
  const tradeId = market.lastTradeId(symbol) + 1
  await until(`all hear of trade ${tradeId}`, () => {
    const failed = readers.find(({ error }) => error !== undefined)
    if (failed !== undefined) throw failed.error
    return readers.every(({ lastTradeId }) => lastTradeId >= tradeId)
  })
}

function checkClosedBars(readers: readonly Reader[]): void {
  const closed = market.closed.get(`${symbol} 1m`)!
  for (const reader of readers) {
    const since = closed.filter(bar => bar.openTime >= reader.first!.openTime)
    expect(reader.closed).toEqual(since.slice(0, reader.closed.length))
    expect(since.length - reader.closed.length, 'bars that are on their way at the end').toBeLessThanOrEqual(2)
  }
}

async function streamsOf(pod: AppProcess): Promise<number> {
  const health = Number(/"port":(\d+)[^\n]*"health endpoints listening"/.exec(pod.output.text)?.[1])
  const text = await (await fetch(`http://127.0.0.1:${health}/metrics`)).text()
  const [, count] = /^chart_edge_streams(?:\{[^}]*\})? (\d+)$/m.exec(text) ?? []
  if (count === undefined) throw new Error(`no chart_edge_streams in ${text}`)
  return Number(count)
}

test('three edges are restarted one after the other under 1,000 streams: nobody misses a closed bar or is told one twice', async () => {
  const pods = await Promise.all(HOSTS.map(host => startPod(host)))
  names.set(NAME, HOSTS)
  await withReaders(1_000, async readers => {
    await untilAllHear(readers)
    for (const [index, host] of HOSTS.entries()) {
      // As Kubernetes does: the pod leaves the name when it is told to stop, and another comes.
      names.set(
        NAME,
        HOSTS.filter(one => one !== host),
      )
      pods[index]!.child.kill('SIGTERM')
      expect(await pods[index]!.exited).toBe(0)
      await untilAllHear(readers)
      pods[index] = await startPod(host)
      names.set(NAME, HOSTS)
    }
    await untilAllHear(readers)
    checkClosedBars(readers)
    const reconnects = readers.reduce((sum, one) => sum + one.reconnects, 0)
    console.log(`1,000 streams, ${reconnects} reconnects, ${market.closed.get(`${symbol} 1m`)!.length} bars closed`)
    // Each stream was on some edge when that was restarted.
    expect(reconnects).toBeGreaterThanOrEqual(1_000)
  })
}, 240_000)

test('an edge that joins gets its share of the streams as they come to their age', async () => {
  const env = { STREAM_AGE_MS: '2000' }
  const pods = await Promise.all(HOSTS.slice(0, 2).map(host => startPod(host, env)))
  names.set(NAME, HOSTS.slice(0, 2))
  const COUNT = 150
  await withReaders(COUNT, async readers => {
    await untilAllHear(readers)
    pods.push(await startPod(HOSTS[2]!, env))
    names.set(NAME, HOSTS)
    await until('each edge has a fifth of the streams or more', async () => {
      const counts = await Promise.all(pods.map(streamsOf))
      return counts.every(count => count >= COUNT / 5)
    })
    await untilAllHear(readers)
    checkClosedBars(readers)
  })
}, 120_000)
