import type { Redis } from 'ioredis'
import { type RedisConnection, RedisUnavailableError } from './connection.ts'

/** Scripts with flags and shard channels came with it. */
const REDIS_MAJOR_MIN = 7

/**
 * Refuses a Redis that is too old, that may throw our keys away when memory runs short, or that is another thing than its URL says;
 * of a cluster, every master is asked.
 * @throws RedisUnavailableError naming the setting
 */
export async function checkRedisSettings(redis: RedisConnection): Promise<void> {
  if (redis.isCluster) await Promise.all((redis as { nodes(role: 'master'): Redis[] }).nodes('master').map(checkServer))
  else await checkServer(redis as Redis, 'standalone')
}

async function checkServer(redis: Redis, mode: unknown): Promise<void> {
  const server = await infoOf(redis, 'server')
  const version = /redis_version:(\d+)\S*/.exec(server)
  if (Number(version?.[1]) < REDIS_MAJOR_MIN) {
    throw new RedisUnavailableError(`${version?.[0]} is too old; run Redis ${REDIS_MAJOR_MIN} or newer`)
  }
  const found = /redis_mode:(\S+)/.exec(server)?.[1]
  if (mode === 'standalone' && found !== 'standalone') {
    throw new RedisUnavailableError(`this Redis is a ${found}: its URL begins with redis+${found}://`)
  }
  const info = await infoOf(redis, 'memory')
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (policy !== 'noeviction') {
    throw new RedisUnavailableError(
      `Redis has maxmemory-policy ${policy}, which may delete trades; set it to noeviction`,
    )
  }
}

/** A server that goes away between our connecting and our asking is as little there as one that was never. */
async function infoOf(redis: Redis, section: string): Promise<string> {
  try {
    return await redis.info(section)
  } catch (error) {
    const { host, port } = redis.options
    throw new RedisUnavailableError(
      `cannot reach Redis at ${host}:${port}: ${(error as Error).message}; start it or set REDIS_URL`,
      { cause: error },
    )
  }
}
