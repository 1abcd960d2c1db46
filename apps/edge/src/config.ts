import { DEFAULT_INTERVALS, type Interval, intervalsOf, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface EdgeConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly grpcHost: string
  /** 0 takes a free one. */
  readonly grpcPort: number
  readonly intervals: readonly Interval[]
}

export function readConfig(env = new EnvReader(process.env)): EdgeConfig {
  return {
    ...readServiceConfig(env),
    redisUrl: env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl),
    databaseUrl: env.url('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres', ['postgres', 'postgresql']),
    grpcHost: env.text('GRPC_HOST', '0.0.0.0'),
    grpcPort: env.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }),
    intervals: env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text))),
  }
}
