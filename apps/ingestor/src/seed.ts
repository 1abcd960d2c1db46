import { type BinanceRest, retrying } from '@chart/binance'
import { type AppendBlock, appendEntry, type Claim, type RedisConnection } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { SymbolFeed } from './symbol-feed.ts'

/** A symbol that never had a trade is asked for again this often, and at once when its first trade is heard. */
const NO_TRADE_RETRY_MS = 5_000
const NO_TRADE_LOOK_MS = 50

const MINUTE_MS = 60_000

export interface SeedOptions {
  readonly rest: BinanceRest
  readonly redis: RedisConnection
  readonly claim: Claim
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Begins a symbol's log: at the first trade of the minute that the exchange is in, so that the first 1m bar is whole. Larger bars
 * that have begun before are marked incomplete until their next one.
 * @throws FencedError when another has claimed the partition
 */
export async function seedSymbol(feed: SymbolFeed, options: SeedOptions): Promise<void> {
  const { rest, redis, claim, log, signal } = options
  const { symbol, scales } = feed
  // Asked for once: what is traded while we wait for the first trade ever belongs to the log as well.
  const now = await retrying(() => rest.serverTime(), { signal, log })
  const sinceTime = now - (now % MINUTE_MS)
  for (;;) {
    const start = await retrying(() => startOf(rest, symbol, sinceTime), { signal, log })
    if (start !== undefined) {
      const block: AppendBlock = {
        symbol,
        expectedTradeId: undefined,
        seed: { ...start, scales },
        trades: [],
        scales,
        holeBefore: false,
        afterHalt: false,
        watermark: 0,
        feedState: 'backfilling',
      }
      const answer = await appendEntry(redis, claim, [block])
      const head = answer.kind === 'appended' ? start.lastTradeId : answer.heads.get(symbol)
      if (head !== undefined) {
        if (answer.kind === 'appended') log.info({ symbol, ...start }, 'trade log begun')
        feed.alignTo(head)
        return
      }
    }
    await untilHeard(feed, signal)
    signal.throwIfAborted()
  }
}

async function untilHeard(feed: SymbolFeed, signal: AbortSignal): Promise<void> {
  for (
    let waited = 0;
    waited < NO_TRADE_RETRY_MS && feed.sequence.seenId < 0 && !signal.aborted;
    waited += NO_TRADE_LOOK_MS
  ) {
    await delay(NO_TRADE_LOOK_MS, signal)
  }
}

/** The last trade before `sinceTime`, or undefined when the symbol never had one. */
async function startOf(
  rest: BinanceRest,
  symbol: string,
  sinceTime: number,
): Promise<{ lastTradeId: number; sinceTime: number } | undefined> {
  // In this order: a trade between the two answers is found by the second.
  const newest = await rest.latestTradeId(symbol)
  const first = await rest.firstTradeIdSince(symbol, sinceTime)
  const lastTradeId = first === undefined ? newest : first - 1
  return lastTradeId === undefined ? undefined : { lastTradeId, sinceTime }
}
