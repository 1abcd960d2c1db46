import { type BarEventType, frameBarEvent, frameGap, frameHeartbeat, type GapText } from '@chart/grpc'
import type { BarText } from '@chart/market'
import type { FeedStatus } from '@chart/redis'

/** Identity of a series among all. */
export function seriesKeyOf(symbol: string, interval: string): string {
  return `${symbol} ${interval}`
}

/** What tells two versions of a closed bar apart. */
export type Version = Pick<BarText, 'openTime' | 'revision' | 'lastTradeId' | 'tradeCount'>

/** How a closed bar is told: for the first time, or in the place of another version. */
export type Telling = 'closed' | 'corrected'

/** One change of one series, ready to be sent. */
export type SeriesEvent = LiveEvent | ClosedEvent | NoticeEvent

interface Framed {
  readonly type: BarEventType
  /** Start of its bar; 0 in a notice. */
  readonly openTime: number
  /** As it stands in a StreamBarsResponse. */
  readonly frame: Uint8Array
}

export interface LiveEvent extends Framed {
  readonly type: 'snapshot' | 'update'
  /** Of the trade that made the change; 0 when no single one did. */
  readonly tradeTime: number
  /** Every trade of the symbol up to this id is in the bar. */
  readonly throughTradeId: number
}

export interface ClosedEvent extends Framed {
  readonly type: Telling
  readonly version: Version
  /** Bytes of the `chart.v1.Bar`. */
  readonly bar: Uint8Array
}

/** What is said of a series or its symbol without a bar. */
export interface NoticeEvent extends Framed {
  readonly type: 'heartbeat' | 'gap'
}

/** @param bar bytes of a `chart.v1.Bar` */
export function liveEventOf(
  type: LiveEvent['type'],
  openTime: number,
  bar: Uint8Array,
  tradeTime: number,
  throughTradeId: number,
): LiveEvent {
  return { type, openTime, frame: frameBarEvent(type, bar, tradeTime), tradeTime, throughTradeId }
}

/** @param bar bytes of the bar of that version */
export function closedEventOf(type: Telling, version: Version, bar: Uint8Array): ClosedEvent {
  return { type, openTime: version.openTime, frame: frameBarEvent(type, bar, 0), version, bar }
}

export function gapEventOf(gap: GapText): NoticeEvent {
  return { type: 'gap', openTime: 0, frame: frameGap(gap) }
}

export function heartbeatOf(status: FeedStatus): NoticeEvent {
  return { type: 'heartbeat', openTime: 0, frame: frameHeartbeat(status) }
}

/** True for an event that a later live bar of the same series replaces. */
export function isLive(event: SeriesEvent): event is LiveEvent {
  return event.type === 'update' || event.type === 'snapshot'
}

export function isClosed(event: SeriesEvent): event is ClosedEvent {
  return event.type === 'closed' || event.type === 'corrected'
}

export function versionOf({ openTime, revision, lastTradeId, tradeCount }: BarText): Version {
  return { openTime, revision, lastTradeId, tradeCount }
}
