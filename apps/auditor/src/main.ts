import { BinanceRest, openKlineFeed } from '@chart/binance'
import { openPostgres, requireCurrentSchema } from '@chart/postgres'
import { AUDIT_LEASE_KEY, checkRedisSettings, closeRedis, openLeaderLock, openRedis } from '@chart/redis'
import { runService, serveHealth } from '@chart/service'
import { audit } from './audit.ts'
import { readConfig } from './config.ts'
import { keepLeading } from './keep-leading.ts'
import { openMetrics } from './metrics.ts'

await runService('auditor', readConfig, async (config, { signal, log, registry }) => {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await openPostgres({ url: config.databaseUrl, applicationName: 'auditor' }))
  await requireCurrentSchema(postgres)
  const redis = stack.adopt(await openRedis(config.redisUrl, 'auditor'), closeRedis)
  await checkRedisSettings(redis)
  const metrics = openMetrics(registry)
  const checks = [
    { name: 'postgres', check: () => postgres.check() },
    { name: 'redis', check: async () => void (await redis.ping()) },
  ]
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks, log }))
  const lock = stack.use(openLeaderLock({ url: config.redisUrl, key: AUDIT_LEASE_KEY, holder: config.member }))
  const { apiUrl, streamUrl, weightMaxPerMinute } = config
  await keepLeading({ lock, metrics, log, signal }, async until => {
    const onStop = (status: number) => metrics.restStops.inc({ status })
    const rest = new BinanceRest({ apiUrl, weightMaxPerMinute, signal: until, log, onStop })
    const openKlines = (symbols: readonly string[]) => openKlineFeed({ streamUrl, symbols, signal: until, log })
    await audit({ ...config, redis, postgres, rest, openKlines, metrics, log, signal: until })
  })
})
