import { logKey, openRedis } from '@chart/redis'
import type { Redis } from 'ioredis'
import { GENERATED_SYMBOLS, generatedTrades } from '../append/generated-trades.ts'
import { pipelinedAdds } from '../append/single-adds.ts'
import { fillLog, TAG } from '../commit/filled-log.ts'

/** Of a busy symbol in a second. */
const PER_SECOND = 300

const [of] = GENERATED_SYMBOLS

/** Bytes that the log takes for `count` trades in entries of `entryTrades`. */
export async function packedLogBytes(url: string, plain: Redis, count: number, entryTrades: number): Promise<number> {
  const redis = await openRedis(url, 'bench')
  try {
    await fillLog(redis, of!, generatedTrades(of!, count, PER_SECOND), entryTrades)
  } finally {
    redis.disconnect()
  }
  return bytesOf(plain, logKey(TAG))
}

/** The same with an entry for each trade and its text. */
export async function singleLogBytes(plain: Redis, count: number): Promise<number> {
  const { append, stream } = pipelinedAdds(plain, 100)
  await append(generatedTrades(of!, count, PER_SECOND))
  return bytesOf(plain, stream)
}

/** What Redis has allocated for a key, all of it looked at. */
export async function bytesOf(plain: Redis, key: string): Promise<number> {
  return Number(await plain.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'))
}
