import { checkRedisSettings, closeRedis, openBarQueue, openBlockingRedis, openRedis } from '@chart/redis'
import { runService, serveHealth } from '@chart/service'
import { aggregate } from './aggregate.ts'
import { readConfig } from './config.ts'
import { openMetrics } from './metrics.ts'
import { type OpenReader, READ_BLOCK_MS } from './partition-worker.ts'

await runService('aggregator', readConfig, async (config, { signal, log, registry, tracer }) => {
  await using stack = new AsyncDisposableStack()
  const redis = stack.adopt(await openRedis(config.redisUrl, 'aggregator'), closeRedis)
  await checkRedisSettings(redis)
  const queue = stack.use(await openBarQueue({ url: config.queueRedisUrl, log }))
  const metrics = openMetrics(registry)
  const checks = [{ name: 'redis', check: async () => void (await redis.ping()) }]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  const openReader: OpenReader = (tag, signal) => openBlockingRedis(config.redisUrl, tag, READ_BLOCK_MS, signal)
  await aggregate({ ...config, openReader, redis, queue, metrics, tracer, log, signal })
})
