export {
  type BarBatch,
  CommitConflictError,
  commitBars,
  KEPT_ENTRIES,
  loadPartition,
  type PartitionPosition,
  rewindLog,
  type SymbolBatch,
} from './bar-commit.ts'
export { BAR_FIELDS, type WrittenBars } from './bar-hash.ts'
export {
  type BarJob,
  type BarQueue,
  type BarWork,
  barOfPendingValue,
  openBarQueue,
  pendingFieldOf,
  pendingValueOf,
  workBarQueue,
} from './bar-queue.ts'
export { type BarQueueView, type FailedJob, openBarQueueView, type QueueCounts } from './bar-queue-view.ts'
export { type BarUpdates, type BarUpdatesOptions, openBarUpdates } from './bar-updates.ts'
export {
  type BlockingRedis,
  closeRedis,
  openBlockingRedis,
  openRedis,
  type RedisCommands,
  type RedisConnection,
  RedisUnavailableError,
} from './connection.ts'
export {
  AUDIT_LEASE_KEY,
  barKey,
  feedKey,
  feedLeaseKey,
  headsKey,
  infoKey,
  leaseKey,
  logKey,
  membersKey,
  type OwnedWork,
  ownerKey,
  partitionTag,
  pendingKey,
  positionKey,
  SYMBOLS_KEY,
  stateKey,
  updatesChannel,
} from './keys.ts'
export { EXTEND_EVERY_MS, type HeldLease, LEASE_MS, type LeaderLock, openLeaderLock } from './leader-lock.ts'
export { type FeedStatus, type LiveBar, readFeedStatus, readLiveBars } from './live-bars.ts'
export { type AppendBlock, decodeEntry, type LogBlock, type LogEntry, type LogSeed } from './log-entry.ts'
export { heartbeat, leave, lineOfShard, MEMBER_TTL_MS } from './members.ts'
export {
  type Claim,
  claimPartition,
  FencedError,
  lookAtPartition,
  type PartitionProgress,
  releasePartition,
  renewPartition,
} from './ownership.ts'
export { ackPending, countPending, type PendingEntry, scanPending } from './pending-bars.ts'
export { ProgressWatch } from './progress-watch.ts'
export { checkedRedisUrl, RedisAddressError, withoutRedisPassword } from './redis-address.ts'
export { checkRedisSettings } from './redis-settings.ts'
export {
  type Member,
  type PartitionStatus,
  readServiceStatus,
  type ServerStatus,
  type ServiceStatus,
  type ShardStatus,
  type SymbolStatus,
} from './service-status.ts'
export {
  PartitionsChangedError,
  readSymbolInfos,
  readSymbols,
  registerSymbols,
  type SymbolInfo,
  tagOf,
} from './symbol-table.ts'
export {
  type AppendAnswer,
  appendEntry,
  appendRestatement,
  LogCorruptError,
  LogUnseededError,
  readEntries,
  readHeads,
  writeFeedStates,
} from './trade-log.ts'
export { UpdatePositions } from './update-positions.ts'
