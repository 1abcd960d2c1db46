import { setTimeout as sleep } from 'node:timers/promises'
import { EXCHANGE_SCALES, type Trade, unpackTrades } from '@chart/market'
import {
  type AppendBlock,
  appendEntry,
  type Claim,
  claimPartition,
  closeRedis,
  commitBars,
  loadPartition,
  type OwnedWork,
  openBarUpdates,
  openBlockingRedis,
  openRedis,
  type PartitionPosition,
  type RedisCommands,
  type RedisConnection,
  readEntries,
  readHeads,
} from '../src/index.ts'

/** An ingestor, an aggregator and an edge in small, which meet every error as the real ones do: at any doubt they look again. */

export const SYMBOL = 'AAA'
const START_TIME = 1_723_161_240_000
const LEASE_MS = 60_000
const BLOCK_MS = 200
/** Between two appends, so that a run stays below what a log keeps. */
const PACE_MS = 10
const RETRY_MS = 20

export function blockOf(expectedTradeId: number | undefined, ids: readonly number[]): AppendBlock {
  const seed = { lastTradeId: 0, sinceTime: START_TIME, scales: EXCHANGE_SCALES }
  return {
    symbol: SYMBOL,
    expectedTradeId,
    ...(expectedTradeId === undefined && { seed }),
    trades: ids.map(tradeOf),
    scales: EXCHANGE_SCALES,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: 'live',
  }
}

function tradeOf(tradeId: number): Trade {
  return { tradeId, tradeTime: START_TIME + tradeId * 7, price: 100n, quantity: 5n, takerSide: 'buy' }
}

export async function claimed(redis: RedisCommands, tag: string, work: OwnedWork): Promise<Claim> {
  const claim = await claimPartition(redis, { tag, work, owner: 'one', leaseMs: LEASE_MS, force: true })
  if (claim === undefined) throw new Error('a forced claim was refused')
  return claim
}

/** Trade ids in the log, in its order. */
export async function idsInLog(url: string, tag: string): Promise<number[]> {
  const reader = await openBlockingRedis(url, tag, BLOCK_MS)
  try {
    const ids: number[] = []
    for (let after = 0; ; ) {
      const entries = await readEntries(reader, tag, after, 1_000, 1)
      if (entries.length === 0) return ids
      after = entries[entries.length - 1]!.n
      for (const { blocks } of entries) {
        for (const { packed } of blocks) if (packed) ids.push(...unpackTrades(packed).trades.map(one => one.tradeId))
      }
    }
  } finally {
    closeRedis(reader)
  }
}

export interface Traffic extends AsyncDisposable {
  /** Last trade that the log is known to hold, last position committed, last update heard. */
  readonly appended: number
  readonly committed: number
  readonly heard: number
  /** How often the subscriber was told that it may have missed updates. */
  readonly reconnects: number
  readonly errors: readonly string[]
  /** For each claim that succeeded: how many had been sent by then, and its epoch, which every run of the script raises. */
  readonly claims: readonly { sent: number; epoch: number }[]
  stop(): Promise<void>
}

/** Writes, folds, publishes and hears updates of one partition until it is stopped. */
export async function startTraffic(url: string, tag: string): Promise<Traffic> {
  const stop = new AbortController()
  const state = {
    appended: 0,
    committed: 0,
    heard: 0,
    reconnects: 0,
    errors: [] as string[],
    claims: [] as { sent: number; epoch: number }[],
  }
  const redis = await openRedis(url, 'test')
  const updates = await openBarUpdates({
    url,
    name: 'test-updates',
    onUpdate(_, bytes) {
      state.heard = Number(bytes.toString())
    },
    onReconnect(tags) {
      if (tags.has(tag)) state.reconnects++
    },
  })
  await updates.subscribe(tag)
  const persistently = async (turn: () => Promise<void>) => {
    while (!stop.signal.aborted) {
      try {
        await turn()
      } catch (error) {
        if (!stop.signal.aborted) state.errors.push((error as Error).message)
        await sleep(RETRY_MS)
      }
    }
  }
  const loops = Promise.all([
    persistently(() => write(redis, tag, stop.signal, state)),
    persistently(() => fold(url, redis, tag, stop.signal, state)),
    persistently(countingClaims(redis, `${tag}:epoch`, state)),
  ])
  const end = async () => {
    stop.abort()
    await loops
    await updates[Symbol.asyncDispose]()
    closeRedis(redis)
  }
  return Object.defineProperties(
    {},
    {
      ...Object.fromEntries(Object.keys(state).map(name => [name, { get: () => state[name as keyof typeof state] }])),
      stop: { value: end },
      [Symbol.asyncDispose]: { value: end },
    },
  ) as Traffic
}

async function write(
  redis: RedisConnection,
  tag: string,
  signal: AbortSignal,
  state: { appended: number },
): Promise<void> {
  const claim = await claimed(redis, tag, 'ingest')
  let head = (await readHeads(redis, tag, [SYMBOL])).get(SYMBOL)
  while (!signal.aborted) {
    const answer = await appendEntry(redis, claim, [blockOf(head, head === undefined ? [] : [head + 1])])
    head = answer.kind === 'mismatch' ? answer.heads.get(SYMBOL) : head === undefined ? 0 : head + 1
    state.appended = head ?? 0
    await sleep(PACE_MS)
  }
}

async function fold(
  url: string,
  redis: RedisConnection,
  tag: string,
  signal: AbortSignal,
  state: { committed: number },
): Promise<void> {
  const claim = await claimed(redis, tag, 'aggregate')
  const reader = await openBlockingRedis(url, tag, BLOCK_MS, signal)
  try {
    let at: PartitionPosition = (await loadPartition(redis, tag, [], [])).at
    while (!signal.aborted) {
      const last = (await readEntries(reader, tag, at.pos, 100, BLOCK_MS)).at(-1)
      if (last === undefined) {
        const stored = (await loadPartition(redis, tag, [], [])).at
        if (stored.pos !== at.pos || stored.rev !== at.rev) throw new Error('the position is another')
        continue
      }
      at = await commitBars(redis, claim, {
        at,
        newPos: last.n,
        nonce: last.nonce,
        symbols: [],
        update: Buffer.from(String(last.n)),
      })
      state.committed = at.pos
    }
  } finally {
    closeRedis(reader)
  }
}

function countingClaims(redis: RedisConnection, tag: string, state: { claims: { sent: number; epoch: number }[] }) {
  let sent = 0
  return async () => {
    sent++
    const { token } = await claimed(redis, tag, 'ingest')
    state.claims.push({ sent, epoch: Number(token.split(':')[0]) })
    await sleep(PACE_MS)
  }
}

/** Claims that ran more often than they were sent, between two that are known to have succeeded. */
export function claimsRunTwice({ claims }: Pick<Traffic, 'claims'>): number {
  return claims.filter(({ sent, epoch }, index) => {
    const before = claims[index - 1]
    return before !== undefined && epoch - before.epoch > sent - before.sent
  }).length
}
