import { type ExchangeRest, retrying } from '@chart/binance'
import { type AppendBlock, appendEntry, type Claim, type LogSeed, type RedisCommands } from '@chart/redis'
import { delay, type Log } from '@chart/service'
import type { SymbolFeed } from './symbol-feed.ts'

/** A symbol that never had a trade is asked for again this often. */
const NO_TRADE_RETRY_MS = 5_000

const MINUTE_MS = 60_000

export interface SeedOptions {
  readonly rest: ExchangeRest
  readonly redis: RedisCommands
  readonly claim: Claim
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Begins a symbol's log: at the first trade of the minute that the exchange is in, so that the first 1m bar is whole. Larger bars
 * that have begun before are marked incomplete until their next one.
 * @throws FencedError when another has claimed the partition; whatever Redis or the exchange fail with
 */
export async function seedSymbol(feed: SymbolFeed, options: SeedOptions): Promise<void> {
  const { rest, redis, claim, log, signal } = options
  const { symbol } = feed
  for (;;) {
    const start = await retrying(() => startOf(rest, symbol), { signal, log })
    if (start !== undefined) {
      const answer = await appendEntry(redis, claim, [seedBlockOf(feed, { ...start, scales: feed.scales })])
      const head = answer.kind === 'appended' ? start.lastTradeId : answer.heads.get(symbol)
      if (head !== undefined) {
        if (answer.kind === 'appended') log.info({ symbol, ...start }, 'trade log begun')
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

/** The last trade before the present minute, or undefined when the symbol never had one. */
async function startOf(
  rest: ExchangeRest,
  symbol: string,
): Promise<{ lastTradeId: number; sinceTime: number } | undefined> {
  const now = await rest.serverTime()
  const sinceTime = now - (now % MINUTE_MS)
  // In this order: a trade between the two answers is found by the second.
  const newest = await rest.latestTradeId(symbol)
  const first = await rest.firstTradeIdSince(symbol, sinceTime)
  const lastTradeId = first === undefined ? newest : first - 1
  return lastTradeId === undefined ? undefined : { lastTradeId, sinceTime }
}
