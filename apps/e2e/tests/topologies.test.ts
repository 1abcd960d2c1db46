import { type ExchangeSimulator, startExchangeSimulator } from '@chart/exchange-simulator'
import { openBarClient, timeOfTimestamp } from '@chart/grpc'
import { partitionOf } from '@chart/market'
import { openPostgres, type Postgres } from '@chart/postgres'
import { type PostgresServer, startPostgres, startRedisCluster, startRedisSentinel } from '@chart/servers'
import { type AppProcess, killApps, runApp, until } from '@chart/testkit'
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test } from 'vitest'
import { compareWithOracle } from '../src/compare.ts'
import { storedBars } from '../src/oracle.ts'

/**
 * The very same programs on Sentinel and on a cluster: the loss of a master under load costs no bar, and clients go on. On one Redis, that
 * is chaos.test.ts.
 */

const MINUTE_MS = 60_000
const FIVE_MINUTES_MS = 5 * MINUTE_MS
/** A minute of the exchange passes in six seconds. */
const SPEED = 10
const TRADES_PER_SECOND = 10
const PARTITIONS = 32
/** Characters of each app's log that a failed test shows. */
const OUTPUT_TAIL = 3_000
/** Many processes share the machine: a node that has to wait for its turn must not be taken for lost. */
const NODE_TIMEOUT_MS = 3_000

/** A Redis that loses the server of a partition, and has it again afterwards by itself. */
interface FailingRedis extends AsyncDisposable {
  readonly url: string
  fail(tag: string): Promise<void>
}

async function sentinel(): Promise<FailingRedis> {
  const setup = await startRedisSentinel()
  return {
    url: setup.url,
    async fail() {
      const { master } = await setup.roles()
      await master.kill()
      await until('another is the master', async () => (await setup.roles()).master !== master)
    },
    [Symbol.asyncDispose]: setup.close,
  }
}

async function cluster(): Promise<FailingRedis> {
  const nodes = await startRedisCluster({ replicas: 1, nodeTimeoutMs: NODE_TIMEOUT_MS })
  return {
    url: nodes.url,
    async fail(tag) {
      const master = await nodes.masterOf(tag)
      await master.kill()
      await until('another is the master', async () => (await nodes.masterOf(tag)) !== master)
    },
    [Symbol.asyncDispose]: nodes.close,
  }
}

let postgresServer: PostgresServer
let postgres: Postgres
beforeAll(async () => {
  postgresServer = await startPostgres()
  const migrated = runApp('persister', { DATABASE_URL: postgresServer.url }, 'migrate')
  expect(await migrated.exited, migrated.output.text).toBe(0)
  postgres = await openPostgres({ url: postgresServer.url, applicationName: 'e2e' })
})
afterEach(killApps)
afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]()
  await postgresServer?.close()
})

// Each has symbols of its own, so that all can share one database.
test.each([
  ['Sentinel, whose master is killed', sentinel, ['SOLUSDT', 'BNBUSDT', 'XRPUSDT']],
  ['a cluster, one of whose masters is killed', cluster, ['ADAUSDT', 'DOGEUSDT', 'LTCUSDT']],
] as const)(
  'on %s every bar is right and stored, and every closed bar reaches the client',
  async (_, open, symbols) => {
    await using redis = await open()
    const startTime = Math.floor(Date.now() / FIVE_MINUTES_MS) * FIVE_MINUTES_MS
    await using exchange = await startExchangeSimulator({
      // The oracle tells every bar since the market's beginning.
      market: { symbols, tradesPerSecond: TRADES_PER_SECOND, genesisTime: startTime },
      // Held until an ingestor listens: how long a busy machine takes to start so many processes is no matter of the bars.
      clock: { startTime, speed: SPEED, hold: true },
    })
    const apps = startService(redis.url, exchange, symbols)
    onTestFailed(() => console.error(apps.all.map(app => app.output.text.slice(-OUTPUT_TAIL)).join('\n')))
    const client = followClosed(await grpcAddress(apps.edge), symbols)
    const newest = async (symbol: string) => (await storedBars(postgres, symbol, '1m')).at(-1)?.openTime ?? 0
    const goesOn = async (after: string) => {
      const from = exchange.now()
      for (const symbol of symbols) {
        await until(`${symbol} is stored after ${after}`, async () => (await newest(symbol)) > from)
        await until(`${symbol} is streamed after ${after}`, () => (client.closed.get(symbol)!.at(-1) ?? 0) > from)
      }
    }

    await goesOn('the start')

    await redis.fail(tagOf(symbols[0]))

    await goesOn('the failure')

    const untilTime = Math.floor(exchange.now() / MINUTE_MS) * MINUTE_MS
    const compare = () => compareWithOracle(postgres, exchange.url, symbols, ['1m', '5m'], untilTime)
    await until('the last bars are stored', async () => (await compare()).missing.length === 0)
    const { compared, incomplete, ...wrong } = await compare()
    expect(wrong).toMatchObject({ missing: [], surplus: [], differing: [] })
    // Only the 5m bar in which the service was started may say that it is not whole.
    expect(incomplete.filter(name => !name.includes(' 5m '))).toEqual([])
    expect(compared).toBeGreaterThanOrEqual(2 * symbols.length)

    client.stop()
    for (const [symbol, times] of client.closed) {
      expect(times, `closed bars of ${symbol}`).toEqual(times.map((__, index) => times[0]! + index * MINUTE_MS))
    }
    for (const { child } of apps.all) child.kill('SIGTERM')

    expect(await Promise.all(apps.all.map(app => app.exited))).toEqual(apps.all.map(() => 0))
  },
)

function startService(redisUrl: string, exchange: ExchangeSimulator, symbols: readonly string[]) {
  const env = {
    REDIS_URL: redisUrl,
    DATABASE_URL: postgresServer.url,
    BINANCE_STREAM_URL: exchange.streamUrl,
    BINANCE_API_URL: exchange.url,
    SYMBOLS: symbols.join(),
    PARTITIONS: String(PARTITIONS),
    INTERVALS: '1s,1m,5m',
    PERSISTED_INTERVALS: '1m,5m',
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: '0',
  }
  const edge = runApp('edge', env)
  const names = ['ingestor', 'ingestor', 'aggregator', 'aggregator', 'persister']
  const all = [edge, ...names.map((name, index) => runApp(name, { ...env, MEMBER: `${name}-${index}` }))]
  return { edge, all }
}

async function grpcAddress(edge: AppProcess): Promise<string> {
  let port: string | undefined
  await until('the edge listens', () => {
    const line = edge.output.text.split('\n').find(one => one.includes('gRPC listening'))
    port = /"port":(\d+)/.exec(line ?? '')?.[1]
    return port !== undefined
  })
  return `127.0.0.1:${port}`
}

/** A client of closed 1m bars, which calls again when the symbols are not known yet. */
function followClosed(address: string, symbols: readonly string[]) {
  const closed = new Map<string, number[]>(symbols.map(symbol => [symbol, []]))
  const stop = new AbortController()
  const follow = async () => {
    using client = openBarClient(address)
    for await (const { events } of client.streamBars({ symbols: [...symbols], intervals: ['1m'] }, stop.signal)) {
      for (const { type, bar } of events) {
        if (type === 'BAR_EVENT_TYPE_CLOSED' && bar) closed.get(bar.symbol)!.push(timeOfTimestamp(bar.openTime)!)
      }
    }
  }
  void until('the call ends', () => follow().then(() => stop.signal.aborted)).catch(() => undefined)
  return { closed, stop: () => stop.abort() }
}

const tagOf = (symbol: string) => `{p${String(partitionOf(symbol, PARTITIONS)).padStart(2, '0')}}`
