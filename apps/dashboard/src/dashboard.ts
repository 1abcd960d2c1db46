import type { ChartClient } from '@chart/client'
import type { Interval } from '@chart/market'
import type { RedisCommands } from '@chart/redis'
import type { Log } from '@chart/service'
import { apiRoutes } from './api.ts'
import { FeedWatch } from './feed-watch.ts'
import { History } from './history.ts'
import { type HttpServer, serveHttp } from './http-server.ts'
import { LiveSymbols, type OpenUpdates } from './live-symbols.ts'
import type { Metrics } from './metrics.ts'
import { PageStreams } from './page-streams.ts'
import { ServedSymbols } from './served-symbols.ts'
import { readStaticFiles } from './static-files.ts'
import { udfRoutes } from './udf.ts'

export interface DashboardOptions {
  readonly httpHost: string
  readonly httpPort: number
  readonly pagesMax: number
  readonly intervals: readonly Interval[]
  /** Folder of the built page. */
  readonly dist: string
  readonly redis: RedisCommands
  readonly openUpdates: OpenUpdates
  readonly client: Pick<ChartClient, 'listBarsPage'>
  readonly metrics: Metrics
  readonly log: Log
  readonly slowPageMaxMs?: number
}

export interface Dashboard extends AsyncDisposable {
  readonly port: number
}

/** Serves the page and what it asks for. Its end: no new connections, streams end over a second, then what is left is closed. */
export async function serveDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { redis, intervals, log } = options
  await using opened = new AsyncDisposableStack()
  const files = await readStaticFiles(options.dist)
  const served = new ServedSymbols(redis)
  const live = opened.use(await LiveSymbols.open(options))
  const feeds = new FeedWatch(redis, log, symbol => live.throughTradeId(symbol))
  const history = new History(options)
  const streams = opened.use(new PageStreams({ ...options, served, live, history, feeds }))
  const routes = new Map([
    ...apiRoutes({ served, redis, intervals, history, streams }),
    ...udfRoutes({ served, history, intervals }),
  ])
  const server: HttpServer = opened.use(
    await serveHttp({ ...options, host: options.httpHost, port: options.httpPort, routes, files }),
  )
  const stop = new AbortController()
  const watching = feeds.run(stop.signal)
  opened.defer(async () => {
    server.stopListening()
    await streams.endAll()
    stop.abort()
    await watching
  })
  const stack = opened.move()
  return { port: server.port, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
