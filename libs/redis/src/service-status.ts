import { findInterval, rankMembers } from '@chart/market'
import type { Redis } from 'ioredis'
import type { RedisConnection } from './connection.ts'
import { AUDIT_LEASE_KEY, feedLeaseKey, logKey, membersKey, ownerKey, pendingKey } from './keys.ts'
import { type HeldLease, readLease } from './leader-lock.ts'
import { type FeedStatus, readFeedStatus } from './live-bars.ts'
import { lineOfShard, MEMBER_TTL_MS } from './members.ts'
import { lookAtPartition } from './ownership.ts'
import { textOf } from './redis-address.ts'
import { readSymbolInfos, readSymbols } from './symbol-table.ts'

/**
 * How the service is, as Redis knows it: who leads, who owns, how far each partition is, what waits. It is read without a lock and
 * without a write, so two of its numbers may be milliseconds apart. Only what has something to do with a served symbol is in Redis: a
 * partition or feed shard without symbols has no keys.
 */
export interface ServiceStatus {
  /** By Redis' clock; all ages are counted from it. */
  readonly time: number
  readonly servers: readonly ServerStatus[]
  readonly ingestors: readonly Member[]
  readonly aggregators: readonly Member[]
  readonly shards: readonly ShardStatus[]
  readonly partitions: readonly PartitionStatus[]
  readonly symbols: readonly SymbolStatus[]
  /** Of the auditor that works; undefined while none does. */
  readonly audit: HeldLease | undefined
}

/** One server with data; a cluster has several. */
export interface ServerStatus {
  readonly place: string
  readonly usedBytes: number
  /** 0: no limit. */
  readonly maxBytes: number
  readonly policy: string
}

export interface Member {
  readonly name: string
  /** Since its last heartbeat. */
  readonly ageMs: number
  readonly isAlive: boolean
}

/** A group of partitions that one ingestor feeds. */
export interface ShardStatus {
  readonly shard: number
  /** Whose lease runs; undefined while nobody leads. */
  readonly lease: HeldLease | undefined
  /** Living ingestors, the first in line for the lead first. */
  readonly line: readonly string[]
  readonly tags: readonly string[]
}

export interface PartitionStatus {
  readonly tag: string
  readonly symbols: readonly string[]
  /** The ingestor that appends; undefined before the first claim. */
  readonly ingest: OwnerStatus | undefined
  /** Feed shard for which it was claimed. */
  readonly shard: number | undefined
  /** The aggregator that was the last to claim. */
  readonly aggregate: OwnerStatus | undefined
  /** Whether its lease runs: while it does not, nobody folds. */
  readonly isOwned: boolean
  /** Living aggregators, the one that should own it first. */
  readonly line: readonly string[]
  readonly logEntries: number
  /** Number of the last entry in the log, and of the last one that is in the bars. */
  readonly seq: number
  readonly position: number
  /** Closed bars that PostgreSQL has not confirmed. */
  readonly pending: number
  /** When the oldest of the pending bars that were looked at had its end, by the exchange's clock. */
  readonly oldestPendingTime: number | undefined
}

export interface OwnerStatus {
  readonly owner: string | undefined
  /** Number of the claim. */
  readonly epoch: number
}

export interface SymbolStatus extends FeedStatus {
  readonly tag: string
  /** The exchange's word: TRADING, HALT, BREAK. */
  readonly status: string
  readonly simulated: boolean
}

/** Pending bars of a partition that are looked at for the oldest: some 60 kB. In an outage of minutes nearly all are old. */
const PENDING_LOOKED_AT = 200

/** @throws an error of Redis when it does not answer */
export async function readServiceStatus(redis: RedisConnection): Promise<ServiceStatus> {
  const time = await timeOf(redis)
  const [tags, servers, ingestors, aggregators, audit] = await Promise.all([
    readSymbols(redis),
    readServers(redis),
    readMembers(redis, 'ingestor', time),
    readMembers(redis, 'aggregator', time),
    readLease(redis, AUDIT_LEASE_KEY),
  ])
  const symbolsOf = Map.groupBy([...tags.keys()].sort(), symbol => tags.get(symbol)!)
  const folding = living(aggregators)
  const [partitions, symbols] = await Promise.all([
    Promise.all([...symbolsOf].sort().map(([tag, of]) => readPartition(redis, tag, of, folding))),
    readSymbolStatus(redis, tags),
  ])
  const shards = await readShards(redis, partitions, living(ingestors))
  return { time, servers, ingestors, aggregators, shards, partitions, symbols, audit }
}

function living(members: readonly Member[]): string[] {
  return members.filter(({ isAlive }) => isAlive).map(({ name }) => name)
}

async function timeOf(redis: RedisConnection): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}

/** Those that heartbeats have not swept out: a dead one is seen until another says that it lives. */
async function readMembers(redis: RedisConnection, app: string, time: number): Promise<Member[]> {
  const flat = await redis.zrange(membersKey(app), '0', '-1', 'WITHSCORES')
  const members: Member[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const ageMs = Math.max(0, time - Number(flat[index + 1]))
    members.push({ name: flat[index]!, ageMs, isAlive: ageMs <= MEMBER_TTL_MS })
  }
  return members.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function readPartition(
  redis: RedisConnection,
  tag: string,
  symbols: readonly string[],
  aggregators: readonly string[],
): Promise<PartitionStatus> {
  const [look, ingest, aggregate, logEntries, pending, [, sample]] = await Promise.all([
    lookAtPartition(redis, tag),
    redis.hmget(ownerKey(tag, 'ingest'), 'epoch', 'owner', 'shard'),
    redis.hmget(ownerKey(tag, 'aggregate'), 'epoch', 'owner'),
    redis.xlen(logKey(tag)),
    redis.hlen(pendingKey(tag)),
    redis.hscan(pendingKey(tag), '0', 'COUNT', PENDING_LOOKED_AT),
  ])
  const last = ownerOf(aggregate)
  return {
    tag,
    symbols,
    ingest: ownerOf(ingest),
    shard: ingest[2] ? Number(ingest[2]) : undefined,
    aggregate: look.owner === undefined ? last : { epoch: last?.epoch ?? 0, owner: look.owner },
    isOwned: look.owner !== undefined,
    line: rankMembers(tag, aggregators),
    logEntries,
    seq: look.seq,
    position: look.pos,
    pending,
    oldestPendingTime: oldestOf(sample.filter((_, index) => index % 2 === 0)),
  }
}

function ownerOf([epoch, owner]: readonly (string | null | undefined)[]): OwnerStatus | undefined {
  return epoch ? { epoch: Number(epoch), owner: owner ?? undefined } : undefined
}

/** @param fields as pendingFieldOf writes them */
function oldestOf(fields: readonly string[]): number | undefined {
  const ends = fields.flatMap(field => {
    const [, interval = '', openTime] = field.split('|')
    const intervalMs = findInterval(interval)?.intervalMs
    return intervalMs === undefined ? [] : [Number(openTime) + intervalMs]
  })
  return ends.length === 0 ? undefined : Math.min(...ends)
}

async function readShards(
  redis: RedisConnection,
  partitions: readonly PartitionStatus[],
  ingestors: readonly string[],
): Promise<ShardStatus[]> {
  const numbers = new Set(partitions.map(({ shard }) => shard).filter(shard => shard !== undefined))
  return Promise.all(
    [...numbers]
      .sort((a, b) => a - b)
      .map(async shard => ({
        shard,
        lease: await readLease(redis, feedLeaseKey(shard)),
        line: lineOfShard(shard, ingestors),
        tags: partitions.filter(one => one.shard === shard).map(({ tag }) => tag),
      })),
  )
}

async function readSymbolStatus(redis: RedisConnection, tags: ReadonlyMap<string, string>): Promise<SymbolStatus[]> {
  const wanted = [...tags].map(([symbol, tag]) => ({ symbol, tag })).sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
  const [feeds, infos] = await Promise.all([readFeedStatus(redis, wanted), readSymbolInfos(redis, wanted)])
  return feeds.map((feed, index) => {
    const { status, simulated } = infos[index]!
    return { ...feed, tag: wanted[index]!.tag, status, simulated }
  })
}

async function readServers(redis: RedisConnection): Promise<ServerStatus[]> {
  const servers = redis.isCluster ? (redis as { nodes(role: 'master'): Redis[] }).nodes('master') : [redis as Redis]
  return Promise.all(
    servers.map(async server => {
      const info = await server.info('memory')
      const setting = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? ''
      return {
        place: placeOfServer(server),
        usedBytes: Number(setting('used_memory')),
        maxBytes: Number(setting('maxmemory')),
        policy: setting('maxmemory_policy'),
      }
    }),
  )
}

/** Of a client that goes where Sentinel says, the socket knows where it is. */
function placeOfServer({ options, stream }: Redis): string {
  const { remoteAddress, remotePort } = stream as { remoteAddress?: string; remotePort?: number }
  return textOf({ host: remoteAddress ?? options.host ?? '', port: remotePort ?? options.port ?? 0 })
}
