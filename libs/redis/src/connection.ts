import { Redis, type RedisOptions } from 'ioredis'
import { defineScripts, type Scripts } from './scripts.ts'

/** Redis cannot be reached or has the wrong settings; the message says which server and what to do. */
export class RedisUnavailableError extends Error {
  override name = 'RedisUnavailableError'
}

/** A connection for commands and scripts. */
export type RedisConnection = Redis & Scripts

/**
 * What the service asks of Redis besides its scripts. Whatever answers to this is a Redis to us: a client of one server, of
 * Sentinel, of a cluster, or the model that the simulation runs on.
 */
export interface RedisCommands extends Scripts {
  hget(key: string, field: string): Promise<string | null>
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>
  hgetall(key: string): Promise<Record<string, string>>
  hlen(key: string): Promise<number>
  hscan(key: string, cursor: string, count: 'COUNT', countMax: number): Promise<[cursor: string, flat: string[]]>
  hset(key: string, values: object): Promise<number>
  hsetnx(key: string, field: string, value: string): Promise<number>
  zrem(key: string, member: string): Promise<number>
  /** Seconds and microseconds of the server's clock. */
  time(): Promise<(string | number)[]>
}

/** A connection that one reader of a trade log waits on. */
export interface BlockingRedis {
  xreadBuffer(
    ...args: ['COUNT', number, 'BLOCK', number, 'STREAMS', string, string]
  ): Promise<[key: Buffer, entries: [id: Buffer, fields: Buffer[]][]][] | null>
  disconnect(): void
}

/**
 * A command without an answer after this long is given up, with its outcome unknown: every script of ours may be sent
 * again. Below a third of the shortest lease (1,500 ms) a stuck Redis would be noticed late; scripts take under 5 ms.
 */
const COMMAND_TIMEOUT_MS = 1_000
/** A socket silent for this long while a command waits is half-open: reconnect. */
const SOCKET_TIMEOUT_MS = 2_000
/** Reconnect attempts come at least this often; a restarted Redis is back after some 250 ms. */
const RECONNECT_MAX_MS = 250
/** ioredis otherwise waits for the server's own guess of its loading time: 6.4 s instead of 1.1 s when measured. */
const LOADING_RETRY_MAX_MS = 200
/** Scripts with flags and shard channels came with it. */
const REDIS_MAJOR_MIN = 7
/** How long a process waits for Redis at its start before it gives up with a clear line. */
const START_TIMEOUT_MS = 15_000

const COMMON = {
  connectTimeout: 3_000,
  retryStrategy: (attempt: number) => Math.min(attempt * 25, RECONNECT_MAX_MS) * (0.75 + Math.random() / 2),
  maxLoadingRetryTime: LOADING_RETRY_MAX_MS,
  // A replica that was a master answers READONLY: reconnect (1), and let the caller decide about the command (not 2).
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} satisfies RedisOptions

/**
 * For commands and scripts: nothing is queued while disconnected and nothing is sent twice, so that a lost reply is the
 * caller's to judge. (The defaults ran INCR twice after a lost reply.)
 */
export async function openRedis(url: string, name: string): Promise<RedisConnection> {
  const redis = new Redis(url, {
    ...COMMON,
    connectionName: name,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
  })
  defineScripts(redis)
  await untilReady(redis, url)
  return redis as RedisConnection
}

/**
 * For blocking reads of at most `blockMs`: a socket silent for a second longer is half-open. The signal closes it, also while it is
 * being opened or a read waits.
 */
export async function openBlockingRedis(
  url: string,
  name: string,
  blockMs: number,
  signal?: AbortSignal,
): Promise<BlockingRedis> {
  const redis = new Redis(url, {
    ...COMMON,
    connectionName: name,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    socketTimeout: blockMs + 1_000,
  })
  signal?.addEventListener('abort', () => closeRedis(redis), { once: true })
  await untilReady(redis, url, signal)
  return redis as unknown as BlockingRedis
}

/** For subscriptions: they are renewed by ioredis after a reconnect; missed messages are the subscriber's to detect. */
export async function openSubscribingRedis(url: string, name: string): Promise<Redis> {
  const redis = new Redis(url, {
    ...COMMON,
    connectionName: name,
    lazyConnect: true,
    maxRetriesPerRequest: null,
    autoResubscribe: true,
  })
  await untilReady(redis, url)
  return redis
}

/** Closes at once; commands under way fail. */
export function closeRedis(redis: { disconnect(): void }): void {
  redis.disconnect()
}

async function untilReady(redis: Redis, url: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  let last: Error | undefined
  // Without a listener ioredis prints every failed attempt by itself.
  redis.on('error', error => {
    last = error
  })
  // The promise of connect() rejects with the first failed attempt, while attempts go on.
  redis.connect().catch(() => undefined)
  const ready = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    redis.disconnect()
    const reason = last === undefined ? 'it does not answer' : last.message
    ready.reject(
      new RedisUnavailableError(`cannot reach Redis at ${placeOf(url)}: ${reason}; start it or set REDIS_URL`, {
        cause: last,
      }),
    )
  }, START_TIMEOUT_MS)
  redis.once('ready', () => ready.resolve())
  signal?.addEventListener('abort', () => ready.reject(signal.reason), { once: true })
  try {
    await ready.promise
  } finally {
    clearTimeout(timer)
  }
}

/** Host and port of a URL, without its password. */
export function placeOf(url: string): string {
  const { hostname, port } = new URL(url)
  return `${hostname}:${port || 6379}`
}

/**
 * Refuses a Redis that is too old, or that may throw our keys away when memory runs short.
 * @throws RedisUnavailableError naming the setting
 */
export async function checkRedisSettings(redis: Redis): Promise<void> {
  const version = /redis_version:(\d+)\S*/.exec(await redis.info('server'))
  if (Number(version?.[1]) < REDIS_MAJOR_MIN) {
    throw new RedisUnavailableError(`${version?.[0]} is too old; run Redis ${REDIS_MAJOR_MIN} or newer`)
  }
  const info = await redis.info('memory')
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (policy !== 'noeviction') {
    throw new RedisUnavailableError(
      `Redis has maxmemory-policy ${policy}, which may delete trades; set it to noeviction`,
    )
  }
}
