import { openPostgres, requireCurrentSchema } from '@chart/postgres'
import { checkRedisSettings, closeRedis, openBarQueue, openRedis, workBarQueue } from '@chart/redis'
import { runService, serveHealth } from '@chart/service'
import { readConfig } from './config.ts'
import { openMetrics } from './metrics.ts'
import { persist, type WorkQueue } from './persist.ts'

await runService('persister', readConfig, async (config, { signal, log, registry, tracer }) => {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await openPostgres({ url: config.databaseUrl, applicationName: 'persister' }))
  await requireCurrentSchema(postgres)
  const redis = stack.adopt(await openRedis(config.redisUrl, 'persister'), closeRedis)
  await checkRedisSettings(redis)
  const queueRedis = stack.adopt(await openRedis(config.queueRedisUrl, 'persister'), closeRedis)
  await checkRedisSettings(queueRedis)
  const queue = stack.use(openBarQueue({ url: config.queueRedisUrl, log }))
  const metrics = openMetrics(registry, queue)
  const checks = [
    { name: 'postgres', check: () => postgres.check() },
    { name: 'redis', check: async () => void (await redis.ping()) },
    { name: 'queue', check: async () => void (await queueRedis.ping()) },
  ]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  const workQueue: WorkQueue = work => workBarQueue({ ...work, url: config.queueRedisUrl })
  await persist({ workQueue, redis, postgres, metrics, tracer, log, signal })
})
