import {
  type BarEventMessage,
  barOfMessage,
  type FeedMessage,
  type SymbolInfoMessage,
  timeOfTimestamp,
} from '@chart/grpc'
import type { BarText, FeedState } from '@chart/market'

/**
 * What happened to a bar. `snapshot`: the live bar as the stream begins; `update`: the live bar after a change; `closed`: the bar is
 * complete in time, told for the first time; `corrected`: a closed bar in the place of an earlier version of itself.
 */
export type BarChange = 'snapshot' | 'update' | 'closed' | 'corrected'

/** One bar of a stream. Times are milliseconds since the epoch, decimals are text. */
export interface StreamedBar extends BarText {
  readonly event: BarChange
  /** When the exchange matched the trade that made the change; absent when no single trade did. */
  readonly tradeTime?: number
  /** Changes of the live bar that were left out before this one, because this client read too slowly. */
  readonly merged: number
}

/** How the feed of one symbol is. */
export interface Feed {
  readonly symbol: string
  /** Undefined in a state that this client does not know. */
  readonly state: FeedState | undefined
  readonly lastTradeId: number
  readonly lastTradeTime: number | undefined
  /** The exchange has sent every trade before this time. */
  readonly watermark: number | undefined
  /** Since the service heard this of the exchange. */
  readonly ageMs: number | undefined
}

/** Closed bars that the stream passes over: those that open from startTime up to and without endTime. */
export interface Gap {
  readonly symbol: string
  readonly interval: string
  readonly startTime: number
  readonly endTime: number
}

/** Everything that a stream tells, by `event`. */
export type ChartEvent =
  | { readonly event: BarChange; readonly bar: StreamedBar }
  | { readonly event: 'heartbeat'; readonly feed: Feed }
  | { readonly event: 'gap'; readonly gap: Gap }

const BAR_CHANGES: Readonly<Record<string, BarChange>> = {
  BAR_EVENT_TYPE_SNAPSHOT: 'snapshot',
  BAR_EVENT_TYPE_UPDATE: 'update',
  BAR_EVENT_TYPE_CLOSED: 'closed',
  BAR_EVENT_TYPE_CORRECTED: 'corrected',
}

/** Undefined for an event that this client does not know. */
export function eventOfMessage(message: BarEventMessage): ChartEvent | undefined {
  const event = BAR_CHANGES[message.type]
  if (event !== undefined && message.bar !== null) {
    const tradeTime = timeOfTimestamp(message.tradeTime)
    const { merged } = message
    return {
      event,
      bar: { event, ...(tradeTime !== undefined && { tradeTime }), merged, ...barOfMessage(message.bar) },
    }
  }
  if (message.type === 'BAR_EVENT_TYPE_HEARTBEAT' && message.feed !== null) {
    return { event: 'heartbeat', feed: feedOfMessage(message.feed) }
  }
  if (message.type === 'BAR_EVENT_TYPE_GAP' && message.gap !== null) {
    const { symbol, interval, startTime, endTime } = message.gap
    const gap = { symbol, interval, startTime: timeOfTimestamp(startTime) ?? 0, endTime: timeOfTimestamp(endTime) ?? 0 }
    return { event: 'gap', gap }
  }
  return undefined
}

const FEED_STATES: Readonly<Record<string, FeedState>> = {
  FEED_STATE_LIVE: 'live',
  FEED_STATE_BACKFILLING: 'backfilling',
  FEED_STATE_STALE: 'stale',
  FEED_STATE_HALTED: 'halted',
}

export function feedOfMessage(feed: FeedMessage): Feed {
  return {
    symbol: feed.symbol,
    state: FEED_STATES[feed.state],
    lastTradeId: feed.lastTradeId,
    lastTradeTime: timeOfTimestamp(feed.lastTradeTime),
    watermark: timeOfTimestamp(feed.watermark),
    // A Duration has the fields of a Timestamp.
    ageMs: timeOfTimestamp(feed.age),
  }
}

/** A symbol that is served; chart.proto says what each field is. */
export interface SymbolInfo extends Omit<SymbolInfoMessage, 'feed'> {
  readonly feed: Feed
}

export function symbolOfMessage(message: SymbolInfoMessage): SymbolInfo {
  return { ...message, feed: feedOfMessage(message.feed) }
}
