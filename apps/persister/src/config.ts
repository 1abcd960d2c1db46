import { checkedRedisUrl } from '@chart/redis'
import { EnvReader, readServiceConfig, type ServiceConfig } from '@chart/service'

export interface PersisterConfig extends ServiceConfig {
  readonly databaseUrl: string
  /** Holds the outboxes. */
  readonly redisUrl: string
  /** Holds BullMQ's queue; the same Redis unless set apart. */
  readonly queueRedisUrl: string
}

export function readConfig(env = new EnvReader(process.env)): PersisterConfig {
  const redisUrl = env.secret('REDIS_URL', 'redis://127.0.0.1:6379', checkedRedisUrl)
  return {
    ...readServiceConfig(env),
    databaseUrl: readDatabaseUrl(env),
    redisUrl,
    queueRedisUrl: env.secret('QUEUE_REDIS_URL', redisUrl, checkedRedisUrl),
  }
}

/** All that `migrate` needs to know. */
export function readDatabaseUrl(env = new EnvReader(process.env)): string {
  return env.url('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres', ['postgres', 'postgresql'])
}
