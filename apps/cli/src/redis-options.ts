import { checkedRedisUrl, openRedis, RedisAddressError, type RedisConnection } from '@chart/redis'
import { UsageError } from './command.ts'
import { readDefaults } from './config.ts'
import { redisOfLocalRun } from './local-run.ts'

/** Options of every command that reads the service's Redis, for parseArgs. */
export const REDIS_OPTIONS = { redis: { type: 'string' } } as const

/** What a usage text says of them. */
export const REDIS_USAGE = `
Redis: --redis URL, or REDIS_URL, or that of a running npm start, or redis://127.0.0.1:6379. A URL may also be redis+sentinel://… or
redis+cluster://…, as the README has them.
`

/** The same for commands that read the queue's Redis too. */
export const QUEUE_OPTIONS = { ...REDIS_OPTIONS, 'queue-redis': { type: 'string' } } as const
export const QUEUE_USAGE = `${REDIS_USAGE}The queue's Redis is --queue-redis or QUEUE_REDIS_URL where it is another.
`

export interface RedisValues {
  readonly redis?: string | undefined
}

/** A person waits for this. */
const OPEN_WITHIN_MS = 3_000

/** @throws UsageError for a URL of no form; RedisUnavailableError */
export async function openServiceRedis(values: RedisValues): Promise<RedisConnection> {
  return openRedis(redisUrlOf(values), 'cli', { withinMs: OPEN_WITHIN_MS })
}

/** @throws UsageError for a URL of no form */
export function redisUrlOf(values: RedisValues): string {
  const { redisUrl, dataDir } = readDefaults()
  return checked(values.redis ?? redisUrl ?? redisOfLocalRun(dataDir) ?? 'redis://127.0.0.1:6379')
}

/** The queue's Redis is the service's unless it is said otherwise. */
export function queueUrlOf(values: RedisValues & { readonly 'queue-redis'?: string | undefined }): string {
  const said = values['queue-redis'] ?? readDefaults().queueRedisUrl
  return said === undefined ? redisUrlOf(values) : checked(said)
}

function checked(url: string): string {
  try {
    return checkedRedisUrl(url)
  } catch (error) {
    if (error instanceof RedisAddressError) throw new UsageError(`the URL of Redis: ${error.message}`)
    throw error
  }
}
