import { join } from 'node:path'
import { freePort } from '@chart/servers'
import type { ProcessSpec } from './managed-process.ts'
import type { SimulatedMarket } from './simulated-market.ts'

/** What every app is given, whatever it does. */
export type AppContext = {
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly symbols: readonly string[]
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly binanceApiUrl: string
  readonly binanceStreamUrl: string
  readonly grpcPort: number
  readonly httpPort: number
}

/** The simulator, on a port that it keeps when it is started again: the feeds know it by that. */
export function simulatorProcess(
  { root, env, symbols }: Pick<AppContext, 'root' | 'env' | 'symbols'>,
  market: SimulatedMarket,
  port: number,
): ProcessSpec {
  return app(
    root,
    'exchange-simulator',
    'exchange-simulator',
    {
      ...env,
      HOST: '127.0.0.1',
      PORT: String(port),
      SYMBOLS: symbols.join(),
      SEED: String(market.seed),
      GENESIS_TIME: String(market.genesisTime),
      TRADES_PER_SECOND: String(market.tradesPerSecond),
      TRADE_RATES: symbols.map(symbol => `${symbol}:${market.rates[symbol]}`).join(),
    },
    `http://127.0.0.1:${port}/api/v3/time`,
  )
}

/** Makes the tables, then ends. */
export function migration({ root, env, databaseUrl }: AppContext): ProcessSpec {
  const entry = join('apps', 'persister', 'src', 'migrate.ts')
  return {
    name: 'migrate',
    command: process.execPath,
    args: [entry],
    cwd: root,
    env: { ...env, DATABASE_URL: databaseUrl },
  }
}

/** The service: two ingestors (a leader and a warm standby), two aggregators that share the symbols, and one each of the others. */
export async function serviceProcesses(context: AppContext): Promise<ProcessSpec[]> {
  const names = ['ingestor-1', 'ingestor-2', 'aggregator-1', 'aggregator-2', 'persister', 'auditor', 'edge']
  const ports = await Promise.all(names.map(() => freePort()))
  return names.map((name, index) => serviceProcess(context, name, ports[index]!))
}

/** What serves the page; it has the live bars from Redis, and older ones from the edge. */
export async function dashboardProcess(context: AppContext): Promise<ProcessSpec> {
  const spec = serviceProcess(context, 'dashboard', await freePort())
  const page = {
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(context.httpPort),
    CHART_ADDRESS: `127.0.0.1:${context.grpcPort}`,
    CHART_TLS: context.env.CHART_TLS ?? 'off',
  }
  return { ...spec, env: { ...spec.env, ...page } }
}

function serviceProcess(context: AppContext, name: string, healthPort: number): ProcessSpec {
  const env = { ...serviceEnv(context), HEALTH_PORT: String(healthPort), MEMBER: `${name}-${process.pid}` }
  return app(context.root, name, name.replace(/-\d+$/, ''), env, `http://127.0.0.1:${healthPort}/readyz`)
}

function serviceEnv(context: AppContext): ProcessSpec['env'] {
  return {
    ...context.env,
    REDIS_URL: context.redisUrl,
    DATABASE_URL: context.databaseUrl,
    BINANCE_API_URL: context.binanceApiUrl,
    BINANCE_STREAM_URL: context.binanceStreamUrl,
    SYMBOLS: context.symbols.join(),
    // On a developer's machine nobody else is meant to read along.
    GRPC_HOST: context.env.GRPC_HOST ?? '127.0.0.1',
    GRPC_PORT: String(context.grpcPort),
    HEALTH_HOST: '127.0.0.1',
    LOG_LEVEL: context.env.LOG_LEVEL ?? 'info',
  }
}

function app(root: string, name: string, folder: string, env: ProcessSpec['env'], readyUrl: string): ProcessSpec {
  const entry = join('apps', folder, 'src', 'main.ts')
  return { name, command: process.execPath, args: [entry], cwd: root, env, readyUrl }
}
