import { type ExchangeRest, retrying } from '@chart/binance'
import type { Scales } from '@chart/market'
import { type AppendBlock, appendEntry, type Claim, type LogSeed, type RedisCommands } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { StoredStart } from './stored-start.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** A symbol that never had a trade is asked for again this often. */
const NO_TRADE_RETRY_MS = 5_000
/** How often stored bars that cannot be read are asked for again. */
const STORED_RETRY_MS = 1_000
/** A log begins without the stored bars when they cannot be read for this long: live bars are worth more than whole ones. */
const STORED_PATIENCE_MS = 60_000
/**
 * Trades fetched to go on from the stored bars, at most: 100 requests of weight 25, half of a minute's budget. After a longer absence the
 * log begins anew, and the bars in between are the auditor's to put in.
 */
const FETCHED_TRADES_MAX = 100_000

const MINUTE_MS = 60_000

/** Where the stored bars of a symbol end. Without history, or before the first bar: undefined. */
export type ReadStoredStart = (symbol: string, scales: Scales) => Promise<StoredStart | undefined>

export interface SeedOptions {
  readonly rest: ExchangeRest
  readonly redis: RedisCommands
  readonly readStoredStart?: ReadStoredStart | undefined
  readonly claim: Claim
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Begins a symbol's log. After the bars that are stored, when Redis has lost what came of them: nothing is missing then, and an hour or
 * a day that had begun ends complete. At the very first start at the first trade of the minute that the exchange is in, so that the first
 * 1m bar is whole; larger bars that have begun before are incomplete until their next one.
 * @throws FencedError when another has claimed the partition; whatever Redis or the exchange fail with
 */
export async function seedSymbol(feed: SymbolFeed, options: SeedOptions): Promise<void> {
  const { rest, redis, claim, log, signal } = options
  const { symbol } = feed
  for (;;) {
    const newestTradeId = await retrying(() => rest.latestTradeId(symbol), { signal, log })
    const stored = newestTradeId === undefined ? undefined : await storedStartOf(feed, newestTradeId, options)
    const start = stored ?? (await retrying(() => presentMinuteOf(rest, symbol, newestTradeId), { signal, log }))
    if (start !== undefined) {
      const answer = await appendEntry(redis, claim, [seedBlockOf(feed, { ...start, scales: feed.scales })])
      const head = answer.kind === 'appended' ? start.lastTradeId : answer.heads.get(symbol)
      if (head !== undefined) {
        const { lastTradeId, sinceTime } = start
        const after = stored === undefined ? 'the present minute' : 'the stored bars'
        if (answer.kind === 'appended') log.info({ symbol, lastTradeId, sinceTime, after }, 'trade log begun')
        feed.alignTo(head)
        return
      }
    }
    await delay(NO_TRADE_RETRY_MS, signal)
    signal.throwIfAborted()
  }
}

function seedBlockOf({ symbol, scales, state }: SymbolFeed, seed: LogSeed): AppendBlock {
  return {
    symbol,
    expectedTradeId: undefined,
    seed,
    trades: [],
    scales,
    holeBefore: false,
    afterHalt: false,
    watermark: 0,
    feedState: state,
  }
}

/** Waits for PostgreSQL for a while; a log that begins at the present minute leaves a gap in the history. */
async function storedStartOf(
  { symbol, scales }: SymbolFeed,
  newestTradeId: number,
  { readStoredStart, log, signal }: SeedOptions,
): Promise<StoredStart | undefined> {
  if (readStoredStart === undefined) return undefined
  const deadline = performance.now() + STORED_PATIENCE_MS
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      const stored = await readStoredStart(symbol, scales)
      if (stored === undefined || newestTradeId - stored.lastTradeId <= FETCHED_TRADES_MAX) return stored
      log.warn({ symbol, trades: newestTradeId - stored.lastTradeId }, 'too long ago to go on from the stored bars')
      return undefined
    } catch (error) {
      const reason = (error as Error).message
      if (attempt === 1) log.warn({ symbol, reason }, 'stored bars cannot be read; the trade log waits for them')
      if (performance.now() >= deadline) {
        log.error({ symbol, reason }, 'the trade log begins without the stored bars; the time in between is missing')
        return undefined
      }
      await delay(STORED_RETRY_MS, signal)
    }
  }
}

/** The last trade before the present minute, or undefined when the symbol never had one. */
async function presentMinuteOf(
  rest: ExchangeRest,
  symbol: string,
  newestTradeId: number | undefined,
): Promise<{ lastTradeId: number; sinceTime: number } | undefined> {
  const now = await rest.serverTime()
  const sinceTime = now - (now % MINUTE_MS)
  // In this order: a trade after `newestTradeId` was asked for is found here.
  const first = await rest.firstTradeIdSince(symbol, sinceTime)
  const lastTradeId = first === undefined ? newestTradeId : first - 1
  return lastTradeId === undefined ? undefined : { lastTradeId, sinceTime }
}
