import { DEFAULT_INTERVALS, type Interval, intervalsOf, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'
import { type AccessConfig, isLoopback, readAccessConfig } from './access-config.ts'
import { type EdgeLimits, readLimits } from './limits.ts'

export interface EdgeConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly grpcHost: string
  /** 0 takes a free one. */
  readonly grpcPort: number
  readonly intervals: readonly Interval[]
  readonly access: AccessConfig
  /** From saying that we are not ready to turning anybody away. */
  readonly drainDelayMs: number
  /** Intervals whose closed bars PostgreSQL has; as the aggregator's. */
  readonly storedIntervals: ReadonlySet<string>
  readonly limits: EdgeLimits
}

/** Kubernetes takes about this long to tell everybody that we are no endpoint any more. */
const DRAIN_DELAY_MS = 5_000
/** With the close of the server (5 s) it stays below the 25 s that a process has to stop. */
const DRAIN_MAX_MS = 19_000

export function readConfig(env = new EnvReader(process.env)): EdgeConfig {
  const grpcHost = env.text('GRPC_HOST', '0.0.0.0')
  const intervals = env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text)))
  const stored = env.list(
    'PERSISTED_INTERVALS',
    intervals.map(({ name }) => name).filter(name => name !== '1s'),
  )
  const limits = readLimits(env)
  return {
    ...readServiceConfig(env),
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    databaseUrl: env.url('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres', ['postgres', 'postgresql']),
    grpcHost,
    grpcPort: env.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }),
    access: readAccessConfig(env, grpcHost, limits.streamAgeMs),
    drainDelayMs: env.integer('DRAIN_DELAY_MS', isLoopback(grpcHost) ? 0 : DRAIN_DELAY_MS, {
      min: 0,
      // What the spread of the streams' ends leaves.
      max: DRAIN_MAX_MS - limits.drainSpreadMs,
    }),
    intervals,
    storedIntervals: new Set(stored),
    limits,
  }
}
