import { migrate, openPostgres } from '@chart/postgres'
import { closeRedis, headsKey, logKey, openRedis, positionKey, type RedisConnection, readSymbols } from '@chart/redis'
import { freePort, startPostgres, startRedis, startRedisCluster } from '@chart/servers'
import { type BenchProcess, costOf, type ProcessCost, startProcess } from '../harness/bench-process.ts'
import { untilTrue } from '../harness/until-true.ts'
import { AppProcess } from './app-process.ts'
import type { ExchangeAddress } from './exchange-process.ts'
import { LoadClients } from './load-clients.ts'
import type { LoadedService } from './loaded-service.ts'

export interface ServiceShape {
  readonly symbols: number
  /** As INTERVALS; the default has seven. */
  readonly intervals?: string
  readonly ingestors?: number
  readonly aggregators?: number
  readonly edges?: number
  /** 0: one Redis; else a cluster of so many masters. */
  readonly masters?: number
  /** A folder where each app leaves a profile of its CPU, by its name. */
  readonly profileDir?: string
}

/** @param more further variables of each */
type StartApps = (app: string, count: number, more?: (index: number) => Record<string, string>) => void

/** Seeding asks REST for every symbol, within the exchange's limits. */
const START_MAX_MS = 900_000
const DEFAULT_INTERVALS = '1s,1m,5m,15m,1h,4h,1d'

/** The whole service on an exchange that costs little: every app a process of its own, as in production. */
export class BenchService implements LoadedService {
  readonly symbols: readonly string[]
  readonly redis: RedisConnection
  readonly clients: LoadClients
  readonly #stack: AsyncDisposableStack
  readonly #processes: ReadonlyMap<string, { readonly pid: number }>
  readonly #apps: readonly AppProcess[]
  readonly #start: StartApps
  readonly #exchange: BenchProcess
  readonly #ports: readonly number[]

  private constructor(parts: {
    stack: AsyncDisposableStack
    symbols: readonly string[]
    redis: RedisConnection
    processes: ReadonlyMap<string, { readonly pid: number }>
    apps: readonly AppProcess[]
    start: StartApps
    exchange: BenchProcess
    clients: LoadClients
    ports: readonly number[]
  }) {
    this.symbols = parts.symbols
    this.redis = parts.redis
    this.#stack = parts.stack
    this.#processes = parts.processes
    this.#apps = parts.apps
    this.#start = parts.start
    this.#exchange = parts.exchange
    this.clients = parts.clients
    this.#ports = parts.ports
  }

  static async open(shape: ServiceShape): Promise<BenchService> {
    const { ingestors = 1, aggregators = 1, edges = 1, masters = 0 } = shape
    await using stack = new AsyncDisposableStack()
    const processes = new Map<string, { readonly pid: number }>()
    const symbols = Array.from({ length: shape.symbols }, (_, index) => `SYM${index}USDT`)
    const servers = masters === 0 ? stack.use(await startRedis()) : stack.use(await startRedisCluster({ masters }))
    const nodes = 'nodes' in servers ? servers.nodes : [servers]
    for (const [index, node] of nodes.entries()) processes.set(nameOf('redis', index, nodes.length), node)
    // BullMQ wants a Redis of its own where the other is a cluster.
    const queue = masters === 0 ? nodes[0]! : stack.use(await startRedis())
    const postgres = stack.use(await startPostgres())
    await prepare(postgres.url)
    const exchange = stack.use(startProcess(new URL('exchange-process.ts', import.meta.url)))
    processes.set('exchange', exchange)
    const clients = stack.use(new LoadClients())
    processes.set('clients', clients)
    const address = await exchange.ask<ExchangeAddress>('open', { symbols })
    const env = {
      SYMBOLS: symbols.join(),
      INTERVALS: shape.intervals ?? DEFAULT_INTERVALS,
      REDIS_URL: servers.url,
      QUEUE_REDIS_URL: queue.url,
      DATABASE_URL: postgres.url,
      BINANCE_API_URL: address.url,
      BINANCE_STREAM_URL: address.streamUrl,
      GRPC_HOST: '127.0.0.1',
    }
    const apps: AppProcess[] = []
    const start: StartApps = (app, count, more = () => ({})) => {
      for (let index = 0; index < count; index++) {
        const name = nameOf(app, index, count)
        const one = new AppProcess(app, name, { ...env, ...more(index) }, profileOptionsOf(name, shape.profileDir))
        starting.use(one)
        apps.push(one)
        processes.set(name, one)
      }
    }
    const ports = await Promise.all(Array.from({ length: edges }, () => freePort()))
    const starting = stack.use(new AsyncDisposableStack())
    start('persister', 1)
    start('aggregator', aggregators)
    start('edge', edges, index => ({ GRPC_PORT: String(ports[index]) }))
    start('ingestor', ingestors)
    const redis = await openRedis(servers.url, 'bench')
    stack.defer(() => closeRedis(redis))
    await untilSeeded(redis, symbols.length, apps)
    return new BenchService({ stack: stack.move(), symbols, redis, processes, apps, start, exchange, clients, ports })
  }

  trade(tradesPerSecond: number): Promise<void> {
    return this.#exchange.ask('trade', { tradesPerSecond })
  }

  made(): Promise<number> {
    return this.#exchange.ask('made')
  }

  /** Clients that want every trade, spread over the edges; stream n follows symbol n and those behind it. */
  async openStreams({ streams, interval = '1m', ...rest }: StreamOptions): Promise<void> {
    const { streamsPerConnection = 1, symbolsPerStream = 1 } = rest
    const following = { streamsPerConnection, symbolsPerStream, interval, reads: true }
    const each = Math.ceil(streams / this.#ports.length)
    for (const [index, port] of this.#ports.entries()) {
      const symbols = [...this.symbols.slice(index * each), ...this.symbols.slice(0, index * each)]
      const count = Math.min(each, streams - index * each)
      await this.clients.open({ ...following, port, streams: count, symbols })
    }
  }

  costs(): Map<string, ProcessCost> {
    for (const app of this.#apps) app.mustRun()
    return new Map([...this.#processes].map(([name, { pid }]) => [name, costOf(pid)]))
  }

  /** More aggregators, where the service was opened with none. */
  startAggregators(count: number): void {
    this.#start('aggregator', count)
  }

  async lag(): Promise<number> {
    const tags = new Set((await readSymbols(this.redis)).values())
    const lags = await Promise.all(
      [...tags].map(async tag => {
        const [last] = await this.redis.xrevrange(logKey(tag), '+', '-', 'COUNT', 1)
        const pos = await this.redis.hget(positionKey(tag), 'pos')
        return last === undefined ? 0 : Number(last[0].split('-')[0]) - Number(pos ?? 0)
      }),
    )
    return lags.reduce((sum, lag) => sum + lag, 0)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

export interface StreamOptions {
  readonly streams: number
  /** 1 by default, as the next. */
  readonly streamsPerConnection?: number
  readonly symbolsPerStream?: number
  readonly interval?: string
}

function profileOptionsOf(name: string, dir: string | undefined): string[] {
  return dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}.cpuprofile`]
}

async function prepare(url: string): Promise<void> {
  await using postgres = await openPostgres({ url, applicationName: 'bench' })
  await migrate(postgres)
}

function nameOf(what: string, index: number, count: number): string {
  return count === 1 ? what : `${what}-${index + 1}`
}

/** Until every symbol's log has begun. */
async function untilSeeded(redis: RedisConnection, symbolCount: number, apps: readonly AppProcess[]): Promise<void> {
  const areSeeded = async () => {
    for (const app of apps) app.mustRun()
    const symbols = await readSymbols(redis)
    if (symbols.size < symbolCount) return false
    // One field of the heads is the number of the last entry.
    const heads = await Promise.all([...new Set(symbols.values())].map(tag => redis.hlen(headsKey(tag))))
    return heads.reduce((sum, fields) => sum + Math.max(0, fields - 1), 0) >= symbolCount
  }
  await untilTrue(areSeeded, `the logs of ${symbolCount} symbols begin`, START_MAX_MS)
}
