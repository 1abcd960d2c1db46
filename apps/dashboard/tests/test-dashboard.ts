import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openChartClient } from '@chart/client'
import { intervalsOf } from '@chart/market'
import { migrate, openPostgres } from '@chart/postgres'
import { closeRedis, openBarUpdates, openRedis, type RedisConnection } from '@chart/redis'
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@chart/servers'
import { openLog, Registry } from '@chart/service'
import { type AppProcess, PATIENT, runApp, until } from '@chart/testkit'
import { type Dashboard, type DashboardOptions, serveDashboard } from '../src/dashboard.ts'
import { type Metrics, openMetrics } from '../src/metrics.ts'

export const INTERVALS = intervalsOf(['1s', '1m', '5m'])

/** Redis, PostgreSQL with our tables, and an edge as it is deployed. */
export interface TestServers extends AsyncDisposable {
  readonly redis: RedisServer
  readonly postgres: PostgresServer
  /** A connection of the test's own. */
  readonly commands: RedisConnection
  readonly edgePort: number
}

export async function startServers(): Promise<TestServers> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ fsync: false })])
  const pool = await openPostgres({ url: postgres.url, applicationName: 'test' })
  await migrate(pool)
  await pool[Symbol.asyncDispose]()
  const edge = await startEdge(redis.url, postgres.url)
  const commands = await openRedis(redis.url, 'test', PATIENT)
  return {
    redis,
    postgres,
    commands,
    edgePort: edge.port,
    async [Symbol.asyncDispose]() {
      closeRedis(commands)
      edge.app.child.kill('SIGKILL')
      await edge.app.exited
      await Promise.all([redis.close(), postgres.close()])
    },
  }
}

async function startEdge(redisUrl: string, databaseUrl: string): Promise<{ app: AppProcess; port: number }> {
  const app = runApp('edge', {
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    INTERVALS: INTERVALS.map(({ name }) => name).join(),
    PERSISTED_INTERVALS: '1m,5m',
  })
  await until('the edge listens', () => app.output.text.includes('gRPC listening') || app.child.exitCode !== null)
  const line = app.output.text.split('\n').find(one => one.includes('gRPC listening'))
  if (line === undefined) throw new Error(`the edge ended: ${app.output.text}`)
  return { app, port: JSON.parse(line).port }
}

export interface TestDashboard extends Dashboard {
  readonly metrics: Metrics
  readonly registry: Registry
}

/** A small page in the place of the one that Vite builds. */
export const TEST_FILES = {
  'index.html': '<!doctype html><title>Test page</title>',
  'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'assets/index-3kfj29d.js': `console.log('${'a'.repeat(500)}')`,
} as const

async function writeTestFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-page-'))
  for (const [name, text] of Object.entries({ ...TEST_FILES, ...files })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

type StartOptions = Partial<Pick<DashboardOptions, 'pagesMax' | 'slowPageMaxMs'>> & {
  /** Further files of the page, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** A dashboard as main.ts puts it together, in this process. */
export async function startDashboard(
  servers: { readonly redis: { readonly url: string }; readonly edgePort: number },
  { files = {}, ...options }: StartOptions = {},
): Promise<TestDashboard> {
  const stack = new AsyncDisposableStack()
  const dist = stack.adopt(await writeTestFiles(files), folder => rm(folder, { recursive: true }))
  const registry = new Registry()
  const metrics = openMetrics(registry)
  const redis = stack.adopt(await openRedis(servers.redis.url, 'dashboard'), closeRedis)
  const client = stack.use(
    openChartClient({ address: `127.0.0.1:${servers.edgePort}`, connectWithinMs: 0, deadlineMs: 5_000 }),
  )
  const dashboard = stack.use(
    await serveDashboard({
      httpHost: '127.0.0.1',
      httpPort: 0,
      pagesMax: 100,
      intervals: INTERVALS,
      dist,
      redis,
      openUpdates: listener => openBarUpdates({ ...listener, url: servers.redis.url, name: 'dashboard-updates' }),
      client,
      metrics,
      log: openLog('dashboard-test', 'error'),
      ...options,
    }),
  )
  return { port: dashboard.port, metrics, registry, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** The value of a metric without labels, or the one with these. */
export async function metricOf(registry: Registry, name: string, labels: Record<string, string> = {}): Promise<number> {
  const metric = (await registry.getMetricsAsJSON()).find(one => one.name === name)
  const values = (metric?.values ?? []) as { value: number; labels: Record<string, string> }[]
  return values
    .filter(one => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
