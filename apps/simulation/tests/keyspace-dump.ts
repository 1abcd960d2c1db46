import type { RedisConnection } from '@chart/redis'
import type { Keyspace } from '../src/model-redis/keyspace.ts'

/** Everything a Redis holds, in a form that can be compared: type and content by key. */
export type Dump = Record<string, unknown>

/** Redis' clock differs by what a test takes, so what is made of it is left out. */
const CLOCK_FIELDS = new Set(['writtenTime'])

export function dumpOfModel(store: Keyspace): Dump {
  const dump: Dump = {}
  for (const key of store.keys()) {
    const value = store.get(key)!
    switch (value.type) {
      case 'hash':
        dump[key] = hashOf(Object.fromEntries(value.fields))
        break
      case 'string':
        dump[key] = value.value
        break
      case 'zset':
        dump[key] = [...value.scores.keys()].sort()
        break
      case 'stream':
        dump[key] = {
          last: value.lastNumber,
          entries: value.entries.map(({ n, nonce, payload, traceparent }) => [
            n,
            nonce,
            payload.toString('hex'),
            traceparent,
          ]),
        }
        break
      default:
        value satisfies never
    }
  }
  return dump
}

export async function dumpOfRedis(redis: RedisConnection): Promise<Dump> {
  const keys = await redis.keys('*')
  const contents = await Promise.all(keys.map(key => contentOf(redis, key)))
  return Object.fromEntries(keys.map((key, index) => [key, contents[index]]))
}

async function contentOf(redis: RedisConnection, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return hashOf(await redis.hgetall(key))
    case 'string':
      return redis.get(key)
    case 'zset':
      return (await redis.zrange(key, '0', '-1')).sort()
    case 'stream':
      return streamOf(redis, key)
    default:
      throw new Error(`${key} has a type that the model does not know`)
  }
}

function hashOf(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([field]) => !CLOCK_FIELDS.has(field))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

async function streamOf(redis: RedisConnection, key: string): Promise<unknown> {
  const info = (await redis.xinfo('STREAM', key)) as string[]
  const entries = (await redis.xrangeBuffer(key, '-', '+')) as [Buffer, Buffer[]][]
  return {
    last: numberOf(String(info[info.indexOf('last-generated-id') + 1])),
    entries: entries.map(([id, fields]) => [
      numberOf(id.toString()),
      fields[1]!.toString(),
      fields[3]!.toString('hex'),
      fields[5]?.toString(),
    ]),
  }
}

function numberOf(id: string): number {
  return Number(id.split('-')[0])
}
