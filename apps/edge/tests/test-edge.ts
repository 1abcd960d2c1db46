import { type BarServer, serveBars } from '@chart/grpc'
import type { Interval } from '@chart/market'
import { openPostgres, type Postgres } from '@chart/postgres'
import { closeRedis, openBarUpdates, openRedis } from '@chart/redis'
import { openLog } from '@chart/service'
import { BarHistory } from '../src/bar-history.ts'
import { getLiveBar } from '../src/get-live-bar.ts'
import { DEFAULT_LIMITS, type EdgeLimits } from '../src/limits.ts'
import { listBarsPage } from '../src/list-bars.ts'
import { listSymbols } from '../src/list-symbols.ts'
import type { Metrics } from '../src/metrics.ts'
import { ServedSymbols } from '../src/served-symbols.ts'
import { BarStreams } from '../src/stream-bars.ts'
import { type OpenUpdates, SymbolHub } from '../src/symbol-hub.ts'
import { testMetrics } from './test-metrics.ts'

export interface TestEdge extends AsyncDisposable {
  readonly server: BarServer
  readonly metrics: Metrics
  readonly postgres: Postgres
  /** As 127.0.0.1:port; any 127.x.y.z reaches it, each over a connection of its own. */
  readonly port: number
  sendHeartbeats(): Promise<void>
}

/** An edge as main.ts puts it together, in this process. */
export async function startEdge(options: {
  redisUrl: string
  /** Where commands go, if not to redisUrl. */
  commandsUrl?: string
  databaseUrl: string
  intervals: readonly Interval[]
  limits?: Partial<EdgeLimits>
}): Promise<TestEdge> {
  const { redisUrl, intervals } = options
  const stack = new AsyncDisposableStack()
  const metrics = testMetrics()
  const log = openLog('edge-test', 'error')
  const stop = new AbortController()
  const redis = stack.adopt(await openRedis(options.commandsUrl ?? redisUrl, 'edge'), closeRedis)
  const postgres = stack.use(await openPostgres({ url: options.databaseUrl, applicationName: 'edge' }))
  const served = new ServedSymbols(
    redis,
    intervals.map(interval => interval.name),
  )
  const openUpdates: OpenUpdates = listener => openBarUpdates({ ...listener, url: redisUrl, name: 'edge-updates' })
  const storedIntervals = new Set(intervals.map(({ name }) => name).filter(name => name !== '1s'))
  const history = new BarHistory({ redis, postgres, storedIntervals })
  const limits = { ...DEFAULT_LIMITS, drainSpreadMs: 0, ...options.limits }
  const hub = stack.use(await SymbolHub.open({ openUpdates, redis, history, intervals, metrics, log }))
  const streams = new BarStreams({ hub, served, history, redis, metrics, limits, log, signal: stop.signal })
  const server = stack.use(
    await serveBars({
      host: '0.0.0.0',
      port: 0,
      handlers: {
        streamBars: (request, stream) => streams.open(request, stream),
        getLiveBar: request => getLiveBar(request, { served, redis }),
        listBars: request => listBarsPage(request, { served, redis, history, intervals, limits }),
        listSymbols: () => listSymbols({ served, redis }),
      },
      onError: error => log.error({ err: error }, 'a call failed'),
    }),
  )
  stack.defer(() => {
    stop.abort()
    return streams.endAll()
  })
  return {
    server,
    metrics,
    postgres,
    port: server.port,
    sendHeartbeats: () => streams.sendHeartbeats(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
