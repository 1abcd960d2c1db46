import type { FeedState } from '@chart/market'
import { MessageWriter } from './message-writer.ts'

/** What happened to a bar; the words of `chart.v1.BarEventType` in lower case. */
export type BarEventType = 'snapshot' | 'update' | 'closed' | 'corrected' | 'heartbeat' | 'gap'

const TYPE_NUMBERS: Record<BarEventType, number> = {
  snapshot: 1,
  update: 2,
  closed: 3,
  corrected: 4,
  heartbeat: 5,
  gap: 6,
}
const FEED_STATE_NUMBERS: Record<FeedState, number> = { live: 1, backfilling: 2, stale: 3, halted: 4 }

/** How a feed is, as a heartbeat tells it. */
export interface FeedText {
  readonly symbol: string
  readonly state: string | undefined
  readonly lastTradeId: number
  readonly lastTradeTime: number
  readonly watermark: number
  /** Since the feed was heard; undefined when it never was. */
  readonly ageMs: number | undefined
}

/** `StreamBarsResponse.events`: events already framed can be put one behind the other to make a response. */
const EVENTS_FIELD = 1

/**
 * One event as it stands in a `StreamBarsResponse`: tag, length and `chart.v1.BarEvent`. A response is any number of these,
 * one behind the other, so equal subscriptions share the bytes and nothing is encoded per subscriber.
 * @param bar bytes of a `chart.v1.Bar`
 * @param tradeTime of the trade that made the change, in milliseconds; 0 when no single one did
 */
export function frameBarEvent(type: BarEventType, bar: Uint8Array, tradeTime: number): Uint8Array {
  const event = new MessageWriter()
  event.integer(1, TYPE_NUMBERS[type])
  event.bytes(2, bar)
  if (tradeTime !== 0) event.time(3, tradeTime)
  return event.finishAs(EVENTS_FIELD)
}

/** A heartbeat, framed as frameBarEvent does. */
export function frameHeartbeat(feed: FeedText): Uint8Array {
  const message = new MessageWriter()
  message.text(1, feed.symbol)
  message.integer(2, feedStateNumberOf(feed.state))
  message.integer(3, feed.lastTradeId)
  if (feed.lastTradeTime > 0) message.time(4, feed.lastTradeTime)
  if (feed.watermark > 0) message.time(5, feed.watermark)
  // A Duration has the fields of a Timestamp.
  if (feed.ageMs !== undefined) message.time(6, feed.ageMs)
  const bytes = message.finish()
  const event = new MessageWriter()
  event.integer(1, TYPE_NUMBERS.heartbeat)
  event.bytes(4, bytes)
  return event.finishAs(EVENTS_FIELD)
}

/** Closed bars that a stream passes over: those that open from startTime up to and without endTime. */
export interface GapText {
  readonly symbol: string
  readonly interval: string
  readonly startTime: number
  readonly endTime: number
}

/** A gap, framed as frameBarEvent does. */
export function frameGap(gap: GapText): Uint8Array {
  const message = new MessageWriter()
  message.text(1, gap.symbol)
  message.text(2, gap.interval)
  message.time(3, gap.startTime)
  message.time(4, gap.endTime)
  const bytes = message.finish()
  const event = new MessageWriter()
  event.integer(1, TYPE_NUMBERS.gap)
  event.bytes(5, bytes)
  return event.finishAs(EVENTS_FIELD)
}

/** The event of a frame, with the number of changes that were left out before it. */
export function frameWithMerged(frame: Uint8Array, merged: number): Uint8Array {
  // The tag is one byte; the length one for each seven bits.
  let start = 1
  while (frame[start]! >= 0x80) start++
  const event = new MessageWriter()
  event.append(frame.subarray(start + 1))
  event.integer(6, merged)
  return event.finishAs(EVENTS_FIELD)
}

function feedStateNumberOf(state: string | undefined): number {
  return state !== undefined && Object.hasOwn(FEED_STATE_NUMBERS, state) ? FEED_STATE_NUMBERS[state as FeedState] : 0
}

/** `chart.v1.FeedState` of a stored state. */
export function feedStateName(state: string | undefined): string {
  return feedStateNumberOf(state) === 0 ? 'FEED_STATE_UNSPECIFIED' : `FEED_STATE_${state!.toUpperCase()}`
}
