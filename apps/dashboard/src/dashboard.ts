import type { ChartClient } from '@chart/client'
import type { Interval } from '@chart/market'
import type { RedisCommands } from '@chart/redis'
import type { Log } from '@chart/service'
import { FeedWatch } from './feed-watch.ts'
import { History } from './history.ts'
import { type HttpServer, type Route, serveHttp } from './http-server.ts'
import { LiveSymbols, type OpenUpdates } from './live-symbols.ts'
import type { Metrics } from './metrics.ts'
import { PageStreams } from './page-streams.ts'
import { checkInterval, checkLimit, checkSymbol, checkTime } from './request-check.ts'
import { ServedSymbols } from './served-symbols.ts'
import { readStaticFiles } from './static-files.ts'
import { SymbolsAnswers } from './symbols-answer.ts'

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
  const feeds = new FeedWatch(redis, log)
  const live = opened.use(await LiveSymbols.open(options))
  const history = new History(options)
  const streams = opened.use(new PageStreams({ ...options, served, live, history, feeds }))
  const symbols = new SymbolsAnswers({ served, redis, intervals })
  const routes = new Map<string, Route>([
    ['/api/symbols', async () => ({ body: await symbols.text() })],
    [
      '/api/bars',
      async query => {
        const all = { symbols: await served.all(), intervals }
        const { symbol } = checkSymbol(query.get('symbol') ?? '', all)
        const interval = checkInterval(query.get('interval') ?? '', all).name
        const before = checkTime(query.get('before'), 'before')
        return { body: await history.before({ symbol, interval }, before, checkLimit(query.get('limit'))) }
      },
    ],
    [
      '/api/stream',
      async (query, request, response) => {
        await streams.open(request, response, query)
        return undefined
      },
    ],
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
