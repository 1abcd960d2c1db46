import type { HeldLease, Member, PartitionStatus, ServerStatus, ShardStatus, SymbolStatus } from '@chart/redis'
import { type Cell, type Column, type StyledLine, tableLines, toneOfFeed } from '@chart/terminal'
import type { Finding, Look } from './status-findings.ts'
import { bytesText, durationText } from './status-text.ts'

/** What `chart status` shows of `look`: the judgement first, then everything that it was made of. */
export function statusLines(look: Look, findings: readonly Finding[], columns: number): StyledLine[] {
  return [...verdictLines(findings), ...factLines(look, columns)]
}

/** What a judgement is made of, an empty line first. */
export function factLines({ status, queue }: Look, columns: number): StyledLine[] {
  const { servers, ingestors, aggregators, audit, shards, partitions, symbols } = status
  const pending = partitions.reduce((sum, one) => sum + one.pending, 0)
  const facts: [string, string][] = [
    ...servers.map((server): [string, string] => ['Redis', serverText(server)]),
    ['queue', `${queue.waiting} waiting   ${queue.active} active   ${queue.delayed} delayed   ${queue.failed} failed`],
    ['outbox', `${pending} closed bars wait for PostgreSQL`],
    ['auditor', leaseText(audit)],
    ['ingestors', membersText(ingestors)],
    ['aggregators', membersText(aggregators)],
  ]
  return [
    [],
    ...facts.map(([name, text]): StyledLine => [{ text: `${name.padEnd(11)}  `, tone: 'faint' }, { text }]),
    [],
    ...tableLines(SHARD_COLUMNS, shards.map(shardCells), columns),
    [],
    ...tableLines(PARTITION_COLUMNS, partitions.map(partitionCells), columns),
    [],
    ...tableLines(SYMBOL_COLUMNS, symbols.map(symbolCells), columns),
  ]
}

/** One line when all is well, otherwise one for each thing that is not. */
export function verdictLines(findings: readonly Finding[]): StyledLine[] {
  if (findings.length === 0) return [[{ text: 'all well', tone: 'good' }]]
  return findings.map(({ text }) => [{ text: 'not well: ', tone: 'bad' }, { text }])
}

function serverText({ place, usedBytes, maxBytes }: ServerStatus): string {
  return `${place}   ${bytesText(usedBytes)} ${maxBytes > 0 ? `of ${bytesText(maxBytes)}` : 'used, no limit'}`
}

function leaseText(lease: HeldLease | undefined): string {
  return lease === undefined ? 'none leads' : `${lease.holder ?? 'somebody'} leads`
}

function membersText(members: readonly Member[]): string {
  if (members.length === 0) return 'none'
  return members
    .map(({ name, ageMs, isAlive }) => (isAlive ? name : `${name} (not heard for ${durationText(ageMs)})`))
    .join('   ')
}

const SHARD_COLUMNS: readonly Column[] = [
  { head: 'feed shard' },
  { head: 'leader' },
  { head: 'lease', align: 'right', leaveOut: 2 },
  { head: 'in line', leaveOut: 3 },
  { head: 'partitions', align: 'right', leaveOut: 1 },
]

function shardCells({ shard, lease, line, tags }: ShardStatus): Cell[] {
  return [
    String(shard),
    lease === undefined ? { text: 'none', tone: 'bad' } : (lease.holder ?? 'somebody'),
    lease === undefined ? '-' : durationText(lease.leftMs),
    line.join(', '),
    String(tags.length),
  ]
}

const PARTITION_COLUMNS: readonly Column[] = [
  { head: 'partition' },
  { head: 'fed by', leaveOut: 3 },
  { head: 'epoch', align: 'right', leaveOut: 5 },
  { head: 'aggregated by', leaveOut: 2 },
  { head: 'epoch', align: 'right', leaveOut: 5 },
  { head: 'log entries', align: 'right', leaveOut: 4 },
  { head: 'behind', align: 'right' },
  { head: 'pending', align: 'right', leaveOut: 1 },
  { head: 'symbols', leaveOut: 6 },
]

function partitionCells(partition: PartitionStatus): Cell[] {
  const { tag, symbols, ingest, aggregate, isOwned, logEntries, seq, position, pending } = partition
  return [
    tag,
    ingest?.owner ?? '-',
    ingest === undefined ? '-' : String(ingest.epoch),
    isOwned ? (aggregate?.owner ?? '-') : { text: 'none', tone: 'bad' },
    aggregate === undefined ? '-' : String(aggregate.epoch),
    String(logEntries),
    String(seq - position),
    String(pending),
    symbols.join(' '),
  ]
}

const SYMBOL_COLUMNS: readonly Column[] = [
  { head: 'symbol' },
  { head: 'feed' },
  { head: 'age', align: 'right', leaveOut: 1 },
  { head: 'last trade', leaveOut: 2 },
  { head: 'last trade id', align: 'right', leaveOut: 4 },
  { head: 'exchange', leaveOut: 3 },
]

function symbolCells({ symbol, state, ageMs, lastTradeTime, lastTradeId, status, simulated }: SymbolStatus): Cell[] {
  return [
    symbol,
    { text: state ?? 'never heard', tone: toneOfFeed(state ?? 'stale') },
    ageMs === undefined ? '-' : durationText(ageMs),
    lastTradeTime === 0 ? '-' : new Date(lastTradeTime).toISOString().slice(0, 23).replace('T', ' '),
    lastTradeId < 0 ? '-' : String(lastTradeId),
    simulated ? `${status}, SIMULATED` : status,
  ]
}
