import { type ChartClient, openChartClient } from '@chart/client'
import { type ExchangeSimulator, startExchangeSimulator } from '@chart/exchange-simulator'
import type { BarText } from '@chart/market'
import { openPostgres, type Postgres } from '@chart/postgres'
import { closeRedis, openRedis, type RedisConnection, readLiveBars, SYMBOLS_KEY } from '@chart/redis'
import { freePort, startPostgres, startRedis } from '@chart/servers'
import { type AppProcess, runApp, until } from '@chart/testkit'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** A little more than the thousand minutes that are imported. */
const PAST_MS = 17 * HOUR_MS
/** Some for each picture of the screen; the past is made of them too, which costs time. */
const TRADES_PER_SECOND = 12
export const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']
const APPS = ['ingestor', 'aggregator', 'persister', 'auditor', 'edge']
const INTERVALS = '1s,1m,5m,15m,1h'
/** Minutes that a new series is given. */
const IMPORTED_BARS = 1_000

/** The whole service as processes, over a market with a day of history, and a dashboard that a test can kill and start again. */
export class BrowserService implements AsyncDisposable {
  readonly redis: RedisConnection
  readonly postgres: Postgres
  readonly client: ChartClient
  readonly exchange: ExchangeSimulator
  readonly #apps: Map<string, AppProcess>
  readonly #env: Readonly<Record<string, string>>
  readonly #stack: AsyncDisposableStack
  readonly #port: number
  #dashboard: AppProcess

  private constructor(opened: {
    redis: RedisConnection
    postgres: Postgres
    client: ChartClient
    exchange: ExchangeSimulator
    apps: Map<string, AppProcess>
    env: Readonly<Record<string, string>>
    stack: AsyncDisposableStack
    port: number
  }) {
    this.redis = opened.redis
    this.postgres = opened.postgres
    this.client = opened.client
    this.exchange = opened.exchange
    this.#apps = opened.apps
    this.#env = opened.env
    this.#stack = opened.stack
    this.#port = opened.port
    this.#dashboard = runApp('dashboard', this.#env)
  }

  /** Starts everything; resolves when the history is stored and the dashboard answers. */
  static async start(): Promise<BrowserService> {
    await using stack = new AsyncDisposableStack()
    const redisServer = stack.adopt(await startRedis(), server => server.close())
    const postgresServer = stack.adopt(await startPostgres({ fsync: false }), server => server.close())
    const genesisTime = Math.floor((Date.now() - PAST_MS) / MINUTE_MS) * MINUTE_MS
    const exchange = stack.use(
      await startExchangeSimulator({
        market: { symbols: SYMBOLS, seed: 7, tradesPerSecond: TRADES_PER_SECOND, genesisTime },
      }),
    )
    const [edgePort, port] = [await freePort(), await freePort()]
    const env = {
      REDIS_URL: redisServer.url,
      DATABASE_URL: postgresServer.url,
      BINANCE_STREAM_URL: exchange.streamUrl,
      BINANCE_API_URL: exchange.url,
      SYMBOLS: SYMBOLS.join(),
      INTERVALS,
      // Seconds too, so that tests need not wait for minutes to see that no closed bar is lost.
      PERSISTED_INTERVALS: INTERVALS,
      IMPORT_BARS: String(IMPORTED_BARS),
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: String(edgePort),
      CHART_ADDRESS: `127.0.0.1:${edgePort}`,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
    }
    const migrated = runApp('persister', env, 'migrate')
    if ((await migrated.exited) !== 0) throw new Error(migrated.output.text)
    const postgres = stack.use(await openPostgres({ url: postgresServer.url, applicationName: 'browser-tests' }))
    const redis = stack.adopt(await openRedis(redisServer.url, 'browser-tests'), closeRedis)
    const client = stack.use(openChartClient({ address: env.CHART_ADDRESS }))
    const apps = new Map(APPS.map(app => [app, runApp(app, env)]))
    stack.defer(async () => {
      for (const { child } of apps.values()) child.kill('SIGTERM')
      await Promise.all([...apps.values()].map(({ exited }) => exited))
    })
    const service = new BrowserService({ redis, postgres, client, exchange, apps, env, port, stack: stack.move() })
    try {
      await service.#becomeReady()
    } catch (error) {
      const said = [...apps].map(([app, { output }]) => `${app}: ${output.text.slice(-2_000)}`)
      await service[Symbol.asyncDispose]()
      throw new Error([...said, service.#dashboard.output.text.slice(-2_000)].join('\n'), { cause: error })
    }
    return service
  }

  get port(): number {
    return this.#port
  }

  /** As a machine that goes away: nothing is said to anybody. */
  async killDashboard(): Promise<void> {
    this.#dashboard.child.kill('SIGKILL')
    await this.#dashboard.exited
  }

  async startDashboard(): Promise<void> {
    this.#dashboard = runApp('dashboard', this.#env)
    await until('the dashboard answers', async () => (await fetch(`http://127.0.0.1:${this.#port}/api/symbols`)).ok)
  }

  /** Leaves the stored bars alone from now on: the auditor would put back what a test takes away. */
  async stopAuditor(): Promise<void> {
    this.#apps.get('auditor')!.child.kill('SIGTERM')
    await this.#apps.get('auditor')!.exited
  }

  async killEdge(): Promise<void> {
    this.#apps.get('edge')!.child.kill('SIGKILL')
    await this.#apps.get('edge')!.exited
  }

  startEdge(): void {
    this.#apps.set('edge', runApp('edge', this.#env))
  }

  /** The live bar as Redis has it. */
  async liveBar(symbol: string, interval: string): Promise<BarText | undefined> {
    const tag = await this.redis.hget(SYMBOLS_KEY, symbol)
    const [live] = await readLiveBars(this.redis, tag!, symbol, [interval])
    return live?.bar
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dashboard.child.kill('SIGTERM')
    await this.#dashboard.exited
    await this.#stack.disposeAsync()
  }

  async #becomeReady(): Promise<void> {
    // Between what is imported and the first trade that was heard lies a minute that the auditor puts in.
    await until('the past is stored without a hole', async () => {
      const { rows } = await this.postgres.query<{ count: string; places: string }>({
        text: `SELECT count(*), extract(epoch FROM max(open_time) - min(open_time)) / CASE interval WHEN '1m' THEN 60 ELSE 1 END + 1 AS places
          FROM bars WHERE interval IN ('1s', '1m') GROUP BY symbol, interval`,
      })
      const isWhole = ({ count, places }: { count: string; places: string }) =>
        Number(count) >= IMPORTED_BARS && Number(count) === Number(places)
      return rows.length === 2 * SYMBOLS.length && rows.every(isWhole)
    })
    await until('the dashboard serves all symbols', async () => {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/api/symbols`)
      const { symbols } = (await answer.json()) as { symbols: { feed: { state: string } }[] }
      return symbols.length === SYMBOLS.length && symbols.every(({ feed }) => feed.state === 'live')
    })
  }
}
