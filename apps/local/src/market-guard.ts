import type { RedisConnection } from '@chart/redis'

const key = 'local:market'

/**
 * Trade ids of two markets mean different trades, and mixing them would be damage that nothing later notices. Our own
 * servers are apart by folder; a Redis named with REDIS_URL is marked with the market it holds, and refused for another.
 */
export async function guardMarket(redis: RedisConnection, market: string, place: string): Promise<void> {
  const isNew = (await redis.get(key)) === null
  if (isNew && market !== liveMarket && (await redis.hlen('symbols')) > 0) {
    throw new Error(
      `the Redis at ${place} holds data of a market that is not simulated: set REDIS_URL to an empty one, or unset it`,
    )
  }
  if (isNew) await redis.set(key, market, 'NX')
  const found = await redis.get(key)
  if (found !== market) {
    throw new Error(
      `the Redis at ${place} holds data of another market (${found}, not ${market}): set REDIS_URL to an empty one, or unset it`,
    )
  }
}

export const liveMarket = 'live'
