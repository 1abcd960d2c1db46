import type { FeedState } from '@chart/market'
import protobuf from 'protobufjs/minimal.js'
import { writeTimestamp } from './bar-message.ts'

/** What happened to a bar; the words of `chart.v1.BarEventType` in lower case. */
export type BarEventType = 'snapshot' | 'update' | 'closed' | 'corrected' | 'heartbeat'

const TYPE_NUMBERS: Record<BarEventType, number> = { snapshot: 1, update: 2, closed: 3, corrected: 4, heartbeat: 5 }
const FEED_STATE_NUMBERS: Record<FeedState, number> = { live: 1, backfilling: 2, stale: 3, halted: 4 }

/** How a feed is, as a heartbeat tells it. */
export interface FeedText {
  readonly symbol: string
  readonly state: string | undefined
  readonly lastTradeId: number
  readonly lastTradeTime: number
  readonly watermark: number
}

/** The tag of `StreamBarsResponse.events`: events already framed can be put one behind the other to make a response. */
const EVENTS_TAG = (1 << 3) | 2

/**
 * One event as it stands in a `StreamBarsResponse`: tag, length and `chart.v1.BarEvent`. A response is any number of these,
 * one behind the other, so equal subscriptions share the bytes and nothing is encoded per subscriber.
 * @param bar bytes of a `chart.v1.Bar`
 * @param tradeTime of the trade that made the change, in milliseconds; 0 when no single one did
 */
export function frameBarEvent(type: BarEventType, bar: Uint8Array, tradeTime: number): Uint8Array {
  const writer = protobuf.Writer.create()
  writer.uint32(EVENTS_TAG).fork()
  writer.uint32(1 << 3).int32(TYPE_NUMBERS[type])
  writer.uint32((2 << 3) | 2).bytes(bar)
  if (tradeTime !== 0) writeTimestamp(writer, 3, tradeTime)
  writer.ldelim()
  return writer.finish()
}

/** A heartbeat, framed as frameBarEvent does. */
export function frameHeartbeat(feed: FeedText): Uint8Array {
  const writer = protobuf.Writer.create()
  writer.uint32(EVENTS_TAG).fork()
  writer.uint32(1 << 3).int32(TYPE_NUMBERS.heartbeat)
  writer.uint32((4 << 3) | 2).fork()
  writer.uint32((1 << 3) | 2).string(feed.symbol)
  writer.uint32(2 << 3).int32(feedStateNumberOf(feed.state))
  writer.uint32(3 << 3).int64(feed.lastTradeId)
  if (feed.lastTradeTime > 0) writeTimestamp(writer, 4, feed.lastTradeTime)
  if (feed.watermark > 0) writeTimestamp(writer, 5, feed.watermark)
  writer.ldelim()
  writer.ldelim()
  return writer.finish()
}

function feedStateNumberOf(state: string | undefined): number {
  return FEED_STATE_NUMBERS[state as FeedState] ?? 0
}

/** `chart.v1.FeedState` of a stored state. */
export function feedStateName(state: string | undefined): string {
  return feedStateNumberOf(state) === 0 ? 'FEED_STATE_UNSPECIFIED' : `FEED_STATE_${state!.toUpperCase()}`
}
