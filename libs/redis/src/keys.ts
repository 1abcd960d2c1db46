/**
 * Every Redis key of the service. A partition's keys carry its hash tag, so that one script can touch all of them on a
 * single Redis, on Sentinel and on a cluster alike. The first group is a public contract (README); the second is ours.
 */

/** Tag of partition number `partition`: 7 → "{p07}". */
export function partitionTag(partition: number): string {
  return `{p${String(partition).padStart(2, '0')}}`
}

/** Public: symbol → partition tag. */
export const SYMBOLS_KEY = 'symbols'

/** Public: the partition's trades and watermarks, a stream. */
export const logKey = (tag: string) => `log:${tag}`
/** Public: the live bar of a symbol and interval, a hash. */
export const barKey = (tag: string, symbol: string, interval: string) => `bar:${tag}:${symbol}:${interval}`
/** Public: shard channel with the partition's updates. */
export const updatesChannel = (tag: string) => `updates:${tag}`
/** Public: feed state of a symbol, a hash. */
export const feedKey = (tag: string, symbol: string) => `feed:${tag}:${symbol}`
/** Public: what the exchange says about a symbol, a hash. */
export const infoKey = (tag: string, symbol: string) => `info:${tag}:${symbol}`
/** Public: closed bars that PostgreSQL has not confirmed yet, a hash. */
export const pendingKey = (tag: string) => `pending:${tag}`

/** What a partition can be owned for: appending to its log, or folding it. */
export type OwnedWork = 'ingest' | 'aggregate'

/** Token of the owner, a hash {epoch, token, owner, shard}: the last two are who claimed, for people. Never expires. */
export const ownerKey = (tag: string, work: OwnedWork) => `own:${tag}:${work}`
/** Time-limited right of the owner, a string; only decides who may claim politely. */
export const leaseKey = (tag: string, work: OwnedWork) => `lease:${tag}:${work}`
/** Symbol → last trade id in the log, plus `seq`, the number of the last entry; a hash. */
export const headsKey = (tag: string) => `heads:${tag}`
/** How far the partition is folded: {pos, rev, by}; a hash. */
export const positionKey = (tag: string) => `position:${tag}`
/** State of a symbol's bars: {lastTradeId, live, closed:1s, closed:1m, …}; a hash. */
export const stateKey = (tag: string, symbol: string) => `state:${tag}:${symbol}`
/** Members of an app by their last heartbeat, a sorted set. */
export const membersKey = (app: string) => `members:${app}`
/** Lease of a feed shard, held through redlock; its value names the holder (leader-lock.ts). */
export const feedLeaseKey = (shard: number) => `lease:feed:${shard}`
/** Lease of the auditor that works, held through redlock. */
export const AUDIT_LEASE_KEY = 'lease:audit'
