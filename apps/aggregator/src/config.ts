import { hostname } from 'node:os'
import { DEFAULT_INTERVALS, type Interval, intervalsOf, namesOf } from '@chart/market'
import { checkedRedisUrl } from '@chart/redis'
import { ConfigError, EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface AggregatorConfig extends ServiceConfig {
  readonly redisUrl: string
  readonly queueRedisUrl: string
  readonly intervals: readonly Interval[]
  /** Intervals whose closed bars go to PostgreSQL. */
  readonly persistedIntervals: ReadonlySet<string>
  /** Name among the replicas. */
  readonly member: string
}

export function readConfig(env = new EnvReader(process.env)): AggregatorConfig {
  const redisUrl = env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl)
  const intervals = env.parsed('INTERVALS', DEFAULT_INTERVALS.join(','), text => intervalsOf(namesOf(text)))
  const persisted = env.list(
    'PERSISTED_INTERVALS',
    intervals.map(({ name }) => name).filter(name => name !== '1s'),
  )
  const unknown = persisted.find(name => !intervals.some(interval => interval.name === name))
  if (unknown !== undefined) throw new ConfigError(`PERSISTED_INTERVALS has ${unknown}, which is not among INTERVALS`)
  return {
    ...readServiceConfig(env),
    redisUrl,
    queueRedisUrl: env.secret('QUEUE_REDIS_URL', redisUrl, checkedRedisUrl),
    intervals,
    persistedIntervals: new Set(persisted),
    member: env.text('MEMBER', `${hostname()}-${process.pid}`),
  }
}
