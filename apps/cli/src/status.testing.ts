import type { PartitionStatus, ServiceStatus } from '@chart/redis'
import type { Look } from './status-findings.ts'

/** A time of the exchange and of Redis. */
export const NOW = Date.UTC(2026, 3, 1, 12)

const PARTITION: PartitionStatus = {
  tag: '{p07}',
  symbols: ['BTCUSDT'],
  ingest: { owner: 'ingestor-1', epoch: 3 },
  shard: 0,
  aggregate: { owner: 'aggregator-1', epoch: 5 },
  isOwned: true,
  line: ['aggregator-1', 'aggregator-2'],
  logEntries: 1_000,
  seq: 5_000,
  position: 5_000,
  pending: 0,
  oldestPendingTime: undefined,
}

const WELL: ServiceStatus = {
  time: NOW,
  servers: [{ place: '127.0.0.1:6379', usedBytes: 3 * 2 ** 20, maxBytes: 512 * 2 ** 20, policy: 'noeviction' }],
  ingestors: ['ingestor-1', 'ingestor-2'].map(name => ({ name, ageMs: 200, isAlive: true })),
  aggregators: ['aggregator-1', 'aggregator-2'].map(name => ({ name, ageMs: 200, isAlive: true })),
  shards: [
    { shard: 0, lease: { holder: 'ingestor-1', leftMs: 1_200 }, line: ['ingestor-1', 'ingestor-2'], tags: ['{p07}'] },
  ],
  partitions: [PARTITION],
  symbols: [
    {
      ...{ symbol: 'BTCUSDT', tag: '{p07}', state: 'live', status: 'TRADING', simulated: false },
      ...{ lastTradeId: 77, lastTradeTime: NOW - 300, watermark: NOW - 1_000, ageMs: 400 },
    },
  ],
  audit: { holder: 'auditor-1', leftMs: 1_000 },
}

/** A service that is well, but for what a test says. */
export function lookOf(
  over: Partial<Omit<ServiceStatus, 'partitions'>> & { partition?: Partial<PartitionStatus>; failed?: number } = {},
): Look {
  const { partition, failed = 0, ...status } = over
  return {
    status: { ...WELL, ...status, partitions: [{ ...PARTITION, ...partition }] },
    queue: { waiting: 0, active: 0, delayed: 0, failed },
  }
}
