import { serveBars } from '@chart/grpc'
import { createPostgres } from '@chart/postgres'
import { closeRedis, openBarUpdates, openRedis } from '@chart/redis'
import { aborted, runService, serveHealth } from '@chart/service'
import { BarHistory } from './bar-history.ts'
import { readConfig } from './config.ts'
import { getLiveBar } from './get-live-bar.ts'
import { listBarsPage } from './list-bars.ts'
import { listSymbols } from './list-symbols.ts'
import { openMetrics } from './metrics.ts'
import { ServedSymbols } from './served-symbols.ts'
import { BarStreams } from './stream-bars.ts'
import { type OpenUpdates, SymbolHub } from './symbol-hub.ts'

await runService('edge', readConfig, async (config, { signal, log, registry }) => {
  await using stack = new AsyncDisposableStack()
  const metrics = openMetrics(registry)
  const redis = stack.adopt(await openRedis(config.redisUrl, 'edge'), closeRedis)
  const postgres = stack.use(createPostgres({ url: config.databaseUrl, applicationName: 'edge' }))
  const served = new ServedSymbols(
    redis,
    config.intervals.map(interval => interval.name),
  )
  const openUpdates: OpenUpdates = listener =>
    openBarUpdates({ ...listener, url: config.redisUrl, name: 'edge-updates' })
  const history = new BarHistory({ ...config, redis, postgres })
  const hub = stack.use(await SymbolHub.open({ ...config, openUpdates, redis, history, metrics, log }))
  const streams = new BarStreams({ ...config, hub, served, history, redis, metrics, log, signal })
  const server = stack.use(
    await serveBars({
      host: config.grpcHost,
      port: config.grpcPort,
      handlers: {
        streamBars: (request, stream) => streams.open(request, stream),
        getLiveBar: request => getLiveBar(request, { served, redis }),
        listBars: request => listBarsPage(request, { ...config, served, redis, history }),
        listSymbols: () => listSymbols({ served, redis }),
      },
      onError: error => log.error({ err: error }, 'a call failed'),
    }),
  )
  // Live bars need Redis alone: without PostgreSQL only history fails, so it decides neither start nor readiness.
  postgres.check().catch(error => log.warn({ reason: error.message }, 'no history until PostgreSQL answers'))
  const checks = [{ name: 'redis', check: async () => void (await redis.ping()) }]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  server.setServing(true)
  log.info({ port: server.port }, 'gRPC listening')
  const heartbeats = streams.sendHeartbeats()
  await aborted(signal)
  server.setServing(false)
  await streams.endAll()
  await heartbeats
})
