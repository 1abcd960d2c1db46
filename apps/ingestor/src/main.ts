import { BinanceRest, openTradeFeed, retrying } from '@chart/binance'
import { createPostgres } from '@chart/postgres'
import { checkRedisSettings, closeRedis, feedLeaseKey, openLeaderLock, openRedis } from '@chart/redis'
import { runService, serveHealth } from '@chart/service'
import { readConfig } from './config.ts'
import { ingest } from './ingest.ts'
import { openMetrics } from './metrics.ts'
import { readStoredStart } from './stored-start.ts'

await runService('ingestor', readConfig, async (config, { signal, log, registry, tracer }) => {
  await using stack = new AsyncDisposableStack()
  const redis = stack.adopt(await openRedis(config.redisUrl, 'ingestor'), closeRedis)
  await checkRedisSettings(redis)
  const metrics = openMetrics(registry)
  const checks = [{ name: 'redis', check: async () => void (await redis.ping()) }]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  const onStop = (status: number) => metrics.restStops.inc({ status })
  const rest = new BinanceRest({ apiUrl: config.apiUrl, signal, log, onStop })
  const infos = await retrying(() => rest.exchangeInfo(config.symbols), { signal, log })
  const postgres =
    config.databaseUrl === undefined
      ? undefined
      : stack.use(createPostgres({ url: config.databaseUrl, applicationName: 'ingestor' }))
  await ingest({
    ...config,
    infos,
    redis,
    rest,
    openLock: shard => openLeaderLock({ url: config.redisUrl, key: feedLeaseKey(shard), holder: config.member }),
    openFeed: (symbols, until) => openTradeFeed({ streamUrl: config.streamUrl, symbols, signal: until, log }),
    ...(postgres && { readStoredStart: (symbol, scales) => readStoredStart(postgres, symbol, scales) }),
    metrics,
    tracer,
    log,
    signal,
  })
})
