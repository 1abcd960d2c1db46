import type { Cluster, Redis } from 'ioredis'
import { COMMAND_TIMEOUT_MS, createClient, createClusterClient, failFast } from './client.ts'
import { logKey } from './keys.ts'
import { placeOf, redisAddressOf } from './redis-address.ts'
import { defineScripts, type Scripts } from './scripts.ts'

/** Redis cannot be reached or has the wrong settings; the message says which server and what to do. */
export class RedisUnavailableError extends Error {
  override name = 'RedisUnavailableError'
}

/** A connection for commands and scripts. */
export type RedisConnection = (Redis | Cluster) & Scripts

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
  /** Seconds and microseconds of the server's clock; of a cluster, any node's. */
  time(): Promise<(string | number)[]>
}

/** A connection that one reader of a trade log waits on. */
export interface BlockingRedis {
  xreadBuffer(
    ...args: ['COUNT', number, 'BLOCK', number, 'STREAMS', string, string]
  ): Promise<[key: Buffer, entries: [id: Buffer, fields: Buffer[]][]][] | null>
  disconnect(): void
}

/** How long a process waits for Redis at its start before it gives up with a clear line. */
const START_TIMEOUT_MS = 15_000

export interface RedisPatience {
  /** How long to wait for a Redis that is not there. */
  readonly withinMs?: number
  /** For one that works for nobody whose lease runs meanwhile, and would rather have its answer late. */
  readonly commandTimeoutMs?: number
}

/**
 * For commands and scripts: nothing is queued while disconnected and nothing is sent twice, so that a lost reply is the
 * caller's to judge. (The defaults ran INCR twice after a lost reply.)
 * @throws RedisUnavailableError when it is not there within `withinMs`
 */
export async function openRedis(url: string, name: string, patience: RedisPatience = {}): Promise<RedisConnection> {
  const { withinMs = START_TIMEOUT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS } = patience
  const address = redisAddressOf(url)
  if (address.kind === 'cluster') {
    const cluster = createClusterClient(address, name, commandTimeoutMs)
    defineScripts(cluster)
    await untilClusterReady(cluster, url, withinMs)
    return cluster as unknown as RedisConnection
  }
  const redis = createClient(url, '', { ...failFast(commandTimeoutMs), connectionName: name, lazyConnect: true })
  defineScripts(redis)
  await untilReady(redis, url, { withinMs })
  return redis as unknown as RedisConnection
}

/**
 * For blocking reads of one partition's log, of at most `blockMs`: a socket silent for a second longer is half-open. On a cluster it
 * is a connection to the master that has the partition. The signal closes it, also while it is being opened or a read waits.
 */
export async function openBlockingRedis(
  url: string,
  tag: string,
  blockMs: number,
  signal?: AbortSignal,
): Promise<BlockingRedis> {
  const redis = createClient(url, logKey(tag), {
    connectionName: `reader-${tag}`,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    socketTimeout: blockMs + 1_000,
  })
  signal?.addEventListener('abort', () => closeRedis(redis), { once: true })
  await untilReady(redis, url, { ...(signal && { signal }) })
  return redis as unknown as BlockingRedis
}

/** Closes at once; commands under way fail. */
export function closeRedis(redis: { disconnect(): void }): void {
  redis.disconnect()
}

/** Opens a lazy client, and waits for it. */
export async function untilReady(
  redis: Redis | Cluster,
  url: string,
  { withinMs = START_TIMEOUT_MS, signal }: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  signal?.throwIfAborted()
  let last: (Error & { lastNodeError?: Error }) | undefined
  const note = (error: Error) => {
    last = error
  }
  // Without a listener ioredis prints every failed attempt by itself.
  redis.on('error', note)
  redis.on('sentinelError', note)
  // The promise of connect() rejects with the first failed attempt, while attempts go on.
  redis.connect().catch(() => undefined)
  const ready = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    redis.disconnect()
    const silent = redis.isCluster ? 'no node answers that finds the cluster whole' : 'it does not answer'
    const reason = last?.lastNodeError?.message ?? last?.message ?? silent
    ready.reject(
      new RedisUnavailableError(`cannot reach Redis at ${placeOf(url)}: ${reason}; start it or set REDIS_URL`, {
        cause: last,
      }),
    )
  }, withinMs)
  redis.once('ready', () => ready.resolve())
  signal?.addEventListener('abort', () => ready.reject(signal.reason), { once: true })
  try {
    await ready.promise
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A node is dialled as soon as it is known to be a master: a command for one that is only being dialled fails, since nothing is
 * queued.
 */
async function untilClusterReady(cluster: Cluster, url: string, withinMs: number): Promise<void> {
  const dialMasters = () =>
    cluster
      .nodes('master')
      .filter(node => node.status === 'wait')
      .map(node => node.connect().catch(() => undefined))
  // Before it is ready its own first question needs a node that nobody is dialling yet.
  cluster.on('refresh', () => cluster.status === 'ready' && dialMasters())
  await untilReady(cluster, url, { withinMs })
  // One that cannot be reached is the cluster's to replace.
  await Promise.all(dialMasters())
  cluster.on('ready', dialMasters)
}
