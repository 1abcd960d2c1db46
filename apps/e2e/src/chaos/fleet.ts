import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type Server, startPostgres, startRedis } from '@chart/servers'
import { runApp } from '@chart/testkit'
import { ratesOf } from './market.ts'
import type { ChaosOptions } from './options.ts'
import { Replica } from './replica.ts'
import { TcpProxy } from './tcp-proxy.ts'

const MINUTE_MS = 60_000
/** The market is this old at the start: with trades before it, as the exchange has them. */
const MARKET_AGE_MS = 10 * MINUTE_MS
/** REST weight that the exchange gives one address in a minute. */
const WEIGHT_PER_ADDRESS = 6_000
/** Seconds differ, and none of a busy symbol is silent: pauses are then ours. */
const BURSTINESS = '0.5'

/** A replica of an app, and the network between it and its Redis. */
export interface Member {
  readonly replica: Replica
  readonly redisLink: TcpProxy
  readonly healthPort: number
}

/** Whether it is an ingestor that leads: it says so itself. */
export async function leadsShard({ healthPort }: Member): Promise<boolean> {
  try {
    const metrics = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()
    return /^chart_ingestor_leading_shards\S* [1-9]/m.test(metrics)
  } catch {
    return false
  }
}

/** The whole service as processes: own servers, a simulated exchange, and several replicas of each app. */
export class Fleet implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly redis: Server
  readonly postgres: Server
  readonly exchangeUrl: string
  readonly members: readonly Member[]
  /** gRPC addresses of the edges. */
  readonly edges: readonly string[]
  readonly #exchange: Replica

  private constructor(parts: {
    stack: AsyncDisposableStack
    redis: Server
    postgres: Server
    exchange: Replica
    exchangeUrl: string
    members: readonly Member[]
    edges: readonly string[]
  }) {
    this.#stack = parts.stack
    this.redis = parts.redis
    this.postgres = parts.postgres
    this.exchangeUrl = parts.exchangeUrl
    this.members = parts.members
    this.edges = parts.edges
    this.#exchange = parts.exchange
  }

  static async start(options: ChaosOptions): Promise<Fleet> {
    await using opening = new AsyncDisposableStack()
    const redis = opening.use(await startRedis({ appendOnly: true }))
    const postgres = opening.use(await startPostgres({ fsync: false }))
    await migrate(postgres.url)
    const exchangePort = await freePort()
    const exchange = new Replica({
      name: 'exchange-simulator',
      app: 'exchange-simulator',
      env: exchangeEnv(options, exchangePort),
      logDir: options.logDir,
    })
    opening.defer(() => exchange.killNow())
    await untilBackfillIsCheap(options.rate)
    const members: Member[] = []
    const edges: string[] = []
    for (const [app, count] of [
      ['ingestor', options.ingestors],
      ['aggregator', options.aggregators],
      ['persister', options.persisters],
      ['edge', options.edges],
    ] as const) {
      for (let number = 1; number <= count; number++) {
        const name = `${app}-${number}`
        const redisLink = opening.use(await TcpProxy.open(redis.port))
        const healthPort = await freePort()
        const grpcPort = await freePort()
        if (app === 'edge') edges.push(`127.0.0.1:${grpcPort}`)
        const env = {
          ...serviceEnv(options, exchangePort),
          REDIS_URL: `redis://127.0.0.1:${redisLink.port}`,
          DATABASE_URL: postgres.url,
          HEALTH_PORT: String(healthPort),
          GRPC_PORT: String(grpcPort),
          MEMBER: name,
        }
        const replica = new Replica({ name, app, env, logDir: options.logDir })
        opening.defer(() => replica.killNow())
        members.push({ replica, redisLink, healthPort })
      }
    }
    const exchangeUrl = `http://127.0.0.1:${exchangePort}`
    return new Fleet({ stack: opening.move(), redis, postgres, exchange, exchangeUrl, members, edges })
  }

  membersOf(app: string): Member[] {
    return this.members.filter(({ replica }) => replica.app === app)
  }

  /** Processes that ended at their start because a server was away, and were started again. */
  get failedStarts(): number {
    return this.members.reduce((sum, { replica }) => sum + replica.failedStarts, 0)
  }

  /** Stops the service and leaves servers and exchange for the comparison. Gives what was wrong with any process of the run. */
  async stopService(): Promise<string[]> {
    const ends = await Promise.all(this.members.map(({ replica }) => replica.stop()))
    const processes = [this.#exchange, ...this.members.map(({ replica }) => replica)]
    return [...processes.flatMap(replica => replica.unexpectedExits), ...ends.filter(end => end !== undefined)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function exchangeEnv({ symbols, rate, seed, ingestors }: ChaosOptions, port: number): Record<string, string> {
  const genesisTime = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MARKET_AGE_MS
  return {
    PORT: String(port),
    SYMBOLS: symbols.join(),
    SEED: String(seed),
    GENESIS_TIME: String(genesisTime),
    TRADES_PER_SECOND: String(rate),
    TRADE_RATES: [...ratesOf(symbols, rate)].map(([symbol, of]) => `${symbol}:${of.toFixed(4)}`).join(),
    BURSTINESS,
    // Replicas have an address each where they are deployed; here they share one.
    REST_WEIGHT_MAX: String(WEIGHT_PER_ADDRESS * ingestors),
  }
}

function serviceEnv({ symbols, intervals }: ChaosOptions, exchangePort: number): Record<string, string> {
  return {
    SYMBOLS: symbols.join(),
    INTERVALS: intervals.join(),
    PERSISTED_INTERVALS: intervals.join(),
    BINANCE_STREAM_URL: `ws://127.0.0.1:${exchangePort}`,
    BINANCE_API_URL: `http://127.0.0.1:${exchangePort}`,
    GRPC_HOST: '127.0.0.1',
    HEALTH_HOST: '127.0.0.1',
  }
}

/**
 * A log begins with the present minute, and what of it has passed is fetched: 25 weight for 1,000 trades, of 4,800 that an ingestor
 * allows itself. Where that would take half of it, the next minute is waited for.
 */
async function untilBackfillIsCheap(rate: number): Promise<void> {
  const passedMs = Date.now() % MINUTE_MS
  const weight = ((rate * passedMs) / 1_000 / 1_000) * 25
  if (weight > 2_400) await sleep(MINUTE_MS - passedMs)
}

async function migrate(databaseUrl: string): Promise<void> {
  const { exited, output } = runApp('persister', { DATABASE_URL: databaseUrl }, 'migrate')
  if ((await exited) !== 0) throw new Error(`the tables cannot be made: ${output.text}`)
}
