import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openChartClient } from '@chart/client'
import { closeRedis, openBarUpdates, openRedis } from '@chart/redis'
import { aborted, runService, serveHealth } from '@chart/service'
import { type EdgeConfig, readConfig } from './config.ts'
import { serveDashboard } from './dashboard.ts'
import type { OpenUpdates } from './live-symbols.ts'
import { openMetrics } from './metrics.ts'

/** Where Vite puts the page. */
const DIST = fileURLToPath(new URL('../dist', import.meta.url))

/** A page waits for no edge that does not answer: live bars go on, and history is asked for again. */
const HISTORY_DEADLINE_MS = 5_000

/**
 * Where others can reach us it takes a moment until they hear that we stop, and nobody should be turned away meanwhile: so long all is
 * served as ever. With a second for the streams and three for what is left a stop stays below ten.
 */
const LEAVING_MS = 4_000
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

await runService('dashboard', readConfig, async (config, { signal, log, registry }) => {
  await using stack = new AsyncDisposableStack()
  const metrics = openMetrics(registry)
  const redis = stack.adopt(await openRedis(config.redisUrl, 'dashboard'), closeRedis)
  const openUpdates: OpenUpdates = listener =>
    openBarUpdates({ ...listener, url: config.redisUrl, name: 'dashboard-updates' })
  const client = stack.use(openChartClient(await clientOptionsOf(config.edge)))
  let isServing = false
  // Neither Redis nor edges decide readiness: all replicas lose them together, and open pages go on by themselves when they are back.
  const serving = {
    name: 'serving',
    async check() {
      if (!isServing) throw new Error('the page is not served yet; its files are being read')
      if (signal.aborted) throw new Error('this dashboard is stopping')
    },
  }
  stack.use(await serveHealth({ host: config.healthHost, port: config.healthPort, registry, checks: [serving], log }))
  stack.use(await serveDashboard({ ...config, dist: DIST, redis, openUpdates, client, metrics, log }))
  isServing = true
  await aborted(signal)
  if (!LOOPBACK.has(config.httpHost)) await sleep(LEAVING_MS)
})

async function clientOptionsOf({ address, apiKey, allowKeyInPlainText, tls, tlsCaFile }: EdgeConfig) {
  return {
    address,
    allowKeyInPlainText,
    tls: tls && tlsCaFile !== undefined ? { ca: await readFile(tlsCaFile) } : tls,
    connectWithinMs: 0,
    deadlineMs: HISTORY_DEADLINE_MS,
    ...(apiKey !== undefined && { apiKey }),
  }
}
