import type { BarState, BarText } from '@chart/market'
import type { RedisCommands } from './connection.ts'
import { barKey, feedKey } from './keys.ts'

/** A live bar as Redis holds it, with how far into the trades it reaches. */
export interface LiveBar {
  readonly bar: BarText
  /** Number of the log entry up to which it was folded. */
  readonly position: number
  /** Every trade of the symbol up to this id is in its bars. */
  readonly throughTradeId: number
  /** Exchange time that the symbol's bars have reached. */
  readonly throughTime: number
}

/**
 * The live bars of one symbol, in the order of `intervals`, all as one commit left them (read by one script, so that none is newer
 * than another); undefined where there was no trade yet.
 */
export async function readLiveBars(
  redis: RedisCommands,
  tag: string,
  symbol: string,
  intervals: readonly string[],
): Promise<(LiveBar | undefined)[]> {
  const keys = intervals.map(interval => barKey(tag, symbol, interval))
  const hashes = await redis.readHashes(keys.length, ...keys)
  return hashes.map((flat, index) => liveBarOf(symbol, intervals[index]!, fieldsOf(flat)))
}

function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index]!] = flat[index + 1]!
  return fields
}

function liveBarOf(symbol: string, interval: string, fields: Record<string, string>): LiveBar | undefined {
  if (fields.openTime === undefined) return undefined
  return {
    bar: {
      symbol,
      interval,
      openTime: Number(fields.openTime),
      closeTime: Number(fields.closeTime),
      open: fields.open!,
      high: fields.high!,
      low: fields.low!,
      close: fields.close!,
      baseVolume: fields.baseVolume!,
      quoteVolume: fields.quoteVolume!,
      takerBuyBaseVolume: fields.takerBuyBaseVolume!,
      takerBuyQuoteVolume: fields.takerBuyQuoteVolume!,
      tradeCount: Number(fields.tradeCount),
      firstTradeId: Number(fields.firstTradeId),
      lastTradeId: Number(fields.lastTradeId),
      state: fields.state as BarState,
      revision: Number(fields.revision),
      complete: fields.complete === 'true',
    },
    position: Number(fields.position),
    throughTradeId: Number(fields.throughTradeId),
    throughTime: Number(fields.throughTime),
  }
}

/**
 * A feed that is live writes at least a watermark every second; one that said so longer ago than this, by Redis' own clock, has no
 * ingestor any more.
 */
const LIVE_SILENCE_MAX_MS = 5_000

/** How a symbol's feed is, as its ingestor wrote it last; `stale` when an ingestor that called it live has fallen silent. */
export interface FeedStatus {
  readonly symbol: string
  /** `live`, `backfilling`, `stale`, `halted`; undefined before the first entry. */
  readonly state: string | undefined
  readonly lastTradeId: number
  readonly lastTradeTime: number
  readonly watermark: number
  /** Since its ingestor wrote this, by Redis' own clock; undefined before the first entry. */
  readonly ageMs: number | undefined
}

/** The feed status of `symbols`, in their order. */
export async function readFeedStatus(
  redis: RedisCommands,
  symbols: readonly { tag: string; symbol: string }[],
): Promise<FeedStatus[]> {
  const [[seconds, micros], ...replies] = await Promise.all([
    redis.time(),
    ...symbols.map(({ tag, symbol }) =>
      redis.hmget(feedKey(tag, symbol), 'state', 'lastTradeId', 'lastTradeTime', 'watermark', 'writtenTime'),
    ),
  ])
  const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
  return replies.map(([state, lastTradeId, lastTradeTime, watermark, writtenTime], index) => {
    const ageMs = writtenTime ? Math.max(0, now - Number(writtenTime)) : undefined
    return {
      symbol: symbols[index]!.symbol,
      state:
        state === 'live' && !(ageMs !== undefined && ageMs <= LIVE_SILENCE_MAX_MS) ? 'stale' : (state ?? undefined),
      lastTradeId: Number(lastTradeId ?? -1),
      lastTradeTime: Number(lastTradeTime ?? 0),
      watermark: Number(watermark ?? 0),
      ageMs,
    }
  })
}
