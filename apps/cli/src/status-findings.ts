import type { PartitionStatus, QueueCounts, ServiceStatus } from '@chart/redis'
import { bytesText, countText, durationText, listText } from './status-text.ts'

/** The service at one moment. */
export interface Look {
  readonly status: ServiceStatus
  readonly queue: QueueCounts
}

/** Something that is not as it should be. */
export interface Finding {
  /** Two looks that have the same key have found the same thing. */
  readonly key: string
  /** For people: what is wrong, where, and what it does. */
  readonly text: string
}

/**
 * Two looks this far apart tell what is wrong from what is under way: leases run out and takeovers are done within it (1.2 s at worst,
 * when measured), and each minute closes with bars that wait for a moment.
 */
export const LOOK_APART_MS = 1_500

/** What an aggregator that is overtaken, or a burst, leaves behind is a few hundred entries; this many are seconds of trades. */
const LAG_MAX = 1_000
/** A persister that died over a job is late by 45 s. */
const PENDING_MAX_MS = 60_000
/** What is free then is minutes of an outage of PostgreSQL, at some 2 MB each. */
const MEMORY_SHARE_MAX = 0.9

/** What is wrong in `look`, or only seems so: whoever asks looks twice. */
export function findingsOf({ status, queue }: Look): Finding[] {
  // Without anybody to do it, it goes without saying that no partition is fed or folded.
  const isFed = status.ingestors.some(({ isAlive }) => isAlive)
  const isFolded = status.aggregators.some(({ isAlive }) => isAlive)
  return [
    // First, since a full Redis takes no leases either and is the reason of much that is said after it.
    ...memoryFindings(status),
    ...memberFindings(status),
    ...(isFed ? [...shardFindings(status), ...feedFindings(status)] : []),
    ...(isFolded ? status.partitions.flatMap(partitionFindings) : []),
    ...storingFindings(status, queue),
  ]
}

/** Findings of the second look that the first one had too. */
export function lastingFindings(second: readonly Finding[], first: readonly Finding[]): Finding[] {
  return second.filter(({ key }) => first.some(one => one.key === key))
}

function memberFindings({ ingestors, aggregators, symbols, audit }: ServiceStatus): Finding[] {
  const found: Finding[] = []
  if (symbols.length === 0)
    found.push({ key: 'symbols', text: 'no symbol is served: no ingestor has begun on this Redis' })
  if (!ingestors.some(({ isAlive }) => isAlive)) {
    found.push({ key: 'ingestors', text: 'no ingestor is running: nothing comes in from the exchange' })
  }
  if (!aggregators.some(({ isAlive }) => isAlive)) {
    found.push({ key: 'aggregators', text: 'no aggregator is running: bars stand still' })
  }
  if (audit === undefined) {
    found.push({ key: 'audit', text: "no auditor is at work: stored bars are not compared with the exchange's" })
  }
  return found
}

function shardFindings({ shards, partitions }: ServiceStatus): Finding[] {
  const symbolsOf = (tags: readonly string[]) =>
    partitions.filter(({ tag }) => tags.includes(tag)).flatMap(({ symbols }) => symbols)
  return shards
    .filter(({ lease }) => lease === undefined)
    .map(({ shard, line, tags }) => ({
      key: `shard ${shard}`,
      text: `feed shard ${shard} has no leader (${line.length === 0 ? 'nobody is in line' : `${line[0]} is next in line`}): ${listText(symbolsOf(tags))} get no trades`,
    }))
}

function partitionFindings(partition: PartitionStatus): Finding[] {
  const { tag, symbols, aggregate, isOwned, seq, position } = partition
  const what = `partition ${tag} (${listText(symbols)})`
  const lag = seq - position
  const found: Finding[] = []
  if (!isOwned) {
    const last = aggregate?.owner === undefined ? '' : `, the last was ${aggregate.owner}`
    found.push({ key: `owned ${tag}`, text: `${what} belongs to no aggregator${last}; ${lag} log entries wait` })
  } else if (lag > 0) {
    // The key has the position, so that an owner that has come on is another finding.
    const owner = aggregate?.owner ?? 'its aggregator'
    found.push({ key: `still ${tag} ${position}`, text: `${what} stands still: ${owner} is ${lag} log entries behind` })
  }
  if (lag > LAG_MAX) found.push({ key: `lag ${tag}`, text: `${what} is ${lag} log entries behind` })
  return found
}

function feedFindings({ symbols }: ServiceStatus): Finding[] {
  // A halt is the exchange's.
  const found = symbols.filter(({ state }) => state !== 'live' && state !== 'halted')
  if (found.length === 0) return []
  const named = found.map(({ symbol, state }) => `${symbol} ${state ?? 'never heard'}`)
  return [{ key: 'feeds', text: `${found.length} of ${symbols.length} feeds are not live: ${listText(named)}` }]
}

function storingFindings({ partitions, symbols, time }: ServiceStatus, { failed }: QueueCounts): Finding[] {
  const found: Finding[] = []
  const waiting = partitions.reduce((sum, { pending }) => sum + pending, 0)
  const oldest = Math.min(...partitions.map(({ oldestPendingTime = Number.POSITIVE_INFINITY }) => oldestPendingTime))
  // By the exchange's clock, which bars are cut by.
  const now = Math.max(0, ...symbols.map(({ watermark }) => watermark)) || time
  if (now - oldest > PENDING_MAX_MS) {
    const text = `${countText(waiting, 'closed bar')} not yet in PostgreSQL, the oldest for ${durationText(now - oldest)}: does a persister run, and PostgreSQL answer?`
    found.push({ key: 'pending', text })
  }
  if (failed > 0)
    found.push({
      key: 'failed',
      text: `${countText(failed, 'job')} failed: "npx chart queue" tells why, and tries again`,
    })
  return found
}

function memoryFindings({ servers }: ServiceStatus): Finding[] {
  return servers.flatMap(({ place, usedBytes, maxBytes, policy }) => {
    const found: Finding[] = []
    if (maxBytes > 0 && usedBytes > maxBytes * MEMORY_SHARE_MAX) {
      const share = Math.round((usedBytes / maxBytes) * 100)
      const text = `Redis ${place} is ${share} % full (${bytesText(maxBytes)}): at its limit it refuses trades`
      found.push({ key: `memory ${place}`, text })
    }
    if (policy !== 'noeviction') {
      found.push({
        key: `policy ${place}`,
        text: `Redis ${place} may delete trades: set maxmemory-policy to noeviction, not ${policy}`,
      })
    }
    return found
  })
}
