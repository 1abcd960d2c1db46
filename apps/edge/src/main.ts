import { type BarServer, serveBars } from '@chart/grpc'
import { createPostgres } from '@chart/postgres'
import { closeRedis, openBarUpdates, openRedis } from '@chart/redis'
import { aborted, runService, serveHealth } from '@chart/service'
import { openAccess } from './access.ts'
import { BarHistory } from './bar-history.ts'
import { reportCalls } from './call-reports.ts'
import { readConfig } from './config.ts'
import { drainEdge, notStopping } from './drain.ts'
import { getLiveBar } from './get-live-bar.ts'
import { listBarsPage } from './list-bars.ts'
import { listSymbols } from './list-symbols.ts'
import { openMetrics } from './metrics.ts'
import { ServedSymbols } from './served-symbols.ts'
import { BarStreams } from './stream-bars.ts'
import { type OpenUpdates, SymbolHub } from './symbol-hub.ts'
import { traceCalls } from './traced-calls.ts'

await runService('edge', readConfig, async (config, { signal, log, registry, tracer }) => {
  await using stack = new AsyncDisposableStack()
  const metrics = openMetrics(registry)
  const access = stack.use(await openAccess(config.access, log))
  const redis = stack.adopt(await openRedis(config.redisUrl, 'edge'), closeRedis)
  const postgres = stack.use(createPostgres({ url: config.databaseUrl, applicationName: 'edge' }))
  const served = new ServedSymbols(
    redis,
    config.intervals.map(interval => interval.name),
  )
  const openUpdates: OpenUpdates = listener =>
    openBarUpdates({ ...listener, url: config.redisUrl, name: 'edge-updates' })
  const history = new BarHistory({ ...config, redis, postgres })
  const hub = stack.use(await SymbolHub.open({ ...config, openUpdates, redis, history, metrics, tracer, log }))
  // Streams are served until they are ended, which is some time after we were told to stop.
  const ending = new AbortController()
  const streams = new BarStreams({ ...config, hub, served, history, redis, metrics, log, signal: ending.signal })
  const reports = stack.use(reportCalls({ registry, log, connections: () => server.connections }))
  const server: BarServer = stack.use(
    await serveBars({
      ...reports,
      host: config.grpcHost,
      port: config.grpcPort,
      handlers: traceCalls(tracer, {
        streamBars: (request, stream) => streams.open(request, stream),
        getLiveBar: request => getLiveBar(request, { served, redis }),
        listBars: request => listBarsPage(request, { ...config, served, redis, history }),
        listSymbols: () => listSymbols({ served, redis }),
      }),
      limits: config.access.serverLimits,
      tls: access.tls,
      guard: access.guard,
    }),
  )
  access.follow(server)
  // Live bars need Redis alone: without PostgreSQL only history fails, so it decides neither start nor readiness.
  postgres.check().catch(error => log.warn({ reason: error.message }, 'no history until PostgreSQL answers'))
  // Redis is not asked either, nor does gRPC's own health ask it: all edges lose it together, and a Service without any would turn clients
  // away that are told UNAVAILABLE here and go on by themselves when it is back.
  const checks = [notStopping(signal)]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  server.setServing(true)
  log.info({ port: server.port }, 'gRPC listening')
  const heartbeats = streams.sendHeartbeats()
  await aborted(signal)
  await drainEdge({ server, streams, ending, delayMs: config.drainDelayMs })
  await heartbeats
})
