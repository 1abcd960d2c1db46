import {
  AUDIT_LEASE_KEY,
  claimPartition,
  closeRedis,
  EXTEND_EVERY_MS,
  feedKey,
  feedLeaseKey,
  headsKey,
  heartbeat,
  openLeaderLock,
  openRedis,
  positionKey,
  type RedisConnection,
  registerSymbols,
  tagOf,
} from '@chart/redis'
import { PATIENT, until } from '@chart/testkit'

const PARTITIONS = 4
export const SYMBOL = 'BTCUSDT'
export const TAG = tagOf(SYMBOL, PARTITIONS)
const INFO = { status: 'TRADING', tickSize: '0.01', stepSize: '1', priceScale: 8, quantityScale: 8, quoteScale: 8 }
/** Longer than any test: what lapses is what a test lets lapse. */
const LEASE_MS = 600_000

/** What a service that is well keeps in Redis, kept by one process; each part can be let go of. */
export interface KeptService extends AsyncDisposable {
  readonly redis: RedisConnection
  /** The ingestor dies, and its standby with it. */
  killIngestors(): void
  /** The log gets entries that nobody folds. */
  growLog(entries: number): Promise<void>
}

export async function keepService(url: string): Promise<KeptService> {
  const redis = await openRedis(url, 'test', PATIENT)
  await registerSymbols(redis, [{ ...INFO, symbol: SYMBOL, simulated: false }], PARTITIONS)
  const claim = { tag: TAG, leaseMs: LEASE_MS, force: true }
  await claimPartition(redis, { ...claim, work: 'ingest', owner: 'ingestor-1', shard: 0 })
  await claimPartition(redis, { ...claim, work: 'aggregate', owner: 'aggregator-1' })
  const lead = openLeaderLock({ url, key: feedLeaseKey(0), holder: 'ingestor-1' })
  const audit = openLeaderLock({ url, key: AUDIT_LEASE_KEY, holder: 'auditor-1' })
  await until('the leases are held', async () => (await lead.acquire()) || (await lead.extend()))
  await until('the leases are held', async () => (await audit.acquire()) || (await audit.extend()))
  let ingests = true
  let seq = 100
  await redis.hset(positionKey(TAG), { pos: seq })
  await redis.hset(headsKey(TAG), { seq })
  const keep = async () => {
    const time = Date.now()
    await Promise.all([
      audit.extend(),
      heartbeat(redis, 'aggregator', 'aggregator-1'),
      ingests && lead.extend(),
      ingests && heartbeat(redis, 'ingestor', 'ingestor-1'),
      redis.hset(feedKey(TAG, SYMBOL), { state: 'live', lastTradeId: 7, lastTradeTime: time, writtenTime: time }),
    ])
  }
  await keep()
  const timer = setInterval(() => void keep().catch(() => undefined), EXTEND_EVERY_MS)
  return {
    redis,
    killIngestors() {
      ingests = false
    },
    async growLog(entries) {
      seq += entries
      await redis.hset(headsKey(TAG), { seq })
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await Promise.all([lead[Symbol.asyncDispose](), audit[Symbol.asyncDispose]()])
      closeRedis(redis)
    },
  }
}
