import { DEFAULT_INTERVALS, type Interval, intervalsOf, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'
import { type EdgeLimits, readLimits } from './limits.ts'

export interface EdgeConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly grpcHost: string
  /** 0 takes a free one. */
  readonly grpcPort: number
  readonly intervals: readonly Interval[]
  /** Intervals whose closed bars PostgreSQL has; as the aggregator's. */
  readonly storedIntervals: ReadonlySet<string>
  readonly limits: EdgeLimits
}

export function readConfig(env = new EnvReader(process.env)): EdgeConfig {
  const intervals = env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text)))
  const stored = env.list(
    'PERSISTED_INTERVALS',
    intervals.map(({ name }) => name).filter(name => name !== '1s'),
  )
  return {
    ...readServiceConfig(env),
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    databaseUrl: env.url('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres', ['postgres', 'postgresql']),
    grpcHost: env.text('GRPC_HOST', '0.0.0.0'),
    grpcPort: env.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }),
    intervals,
    storedIntervals: new Set(stored),
    limits: readLimits(env),
  }
}
