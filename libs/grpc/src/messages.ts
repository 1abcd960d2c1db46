import type { BarMessage, TimestampMessage } from './bar-message.ts'

/** Requests and answers of `chart.v1.ChartService` as proto-loader gives and takes them; chart.proto is their manual. */

export interface StreamBarsRequest {
  readonly symbols: readonly string[]
  readonly intervals: readonly string[]
  readonly mode: 'STREAM_MODE_UNSPECIFIED' | 'STREAM_MODE_EVERY_TRADE' | 'STREAM_MODE_LATEST' | 'STREAM_MODE_CLOSED'
  readonly startTime: TimestampMessage | null
  readonly positions: readonly SeriesPositionMessage[]
  /** 0: no limit. */
  readonly maxUpdatesPerSecond: number
}

export interface SeriesPositionMessage {
  readonly symbol: string
  readonly interval: string
  readonly newest: BarVersionMessage | null
  readonly corrected: readonly BarVersionMessage[]
}

export interface BarVersionMessage {
  readonly openTime: TimestampMessage | null
  readonly state: 'BAR_STATE_UNSPECIFIED' | 'BAR_STATE_LIVE' | 'BAR_STATE_CLOSED'
  readonly revision: number
  readonly lastTradeId: number
}

export interface BarEventMessage {
  readonly type:
    | 'BAR_EVENT_TYPE_UNSPECIFIED'
    | 'BAR_EVENT_TYPE_SNAPSHOT'
    | 'BAR_EVENT_TYPE_UPDATE'
    | 'BAR_EVENT_TYPE_CLOSED'
    | 'BAR_EVENT_TYPE_CORRECTED'
    | 'BAR_EVENT_TYPE_HEARTBEAT'
    | 'BAR_EVENT_TYPE_GAP'
  readonly bar: BarMessage | null
  readonly tradeTime: TimestampMessage | null
  readonly feed: FeedMessage | null
  readonly gap: BarGapMessage | null
  readonly merged: number
}

export interface BarGapMessage {
  readonly symbol: string
  readonly interval: string
  readonly startTime: TimestampMessage
  readonly endTime: TimestampMessage
}

export interface StreamBarsResponse {
  readonly events: readonly BarEventMessage[]
  readonly positions: readonly SeriesPositionMessage[]
}

export interface FeedMessage {
  readonly symbol: string
  readonly state: string
  readonly lastTradeId: number
  readonly lastTradeTime: TimestampMessage | null
  readonly watermark: TimestampMessage | null
  /** google.protobuf.Duration has the fields of a timestamp. */
  readonly age: TimestampMessage | null
}

export interface GetLiveBarRequest {
  readonly symbol: string
  readonly interval: string
}

export interface GetLiveBarResponse {
  readonly bar: BarMessage
}

export interface ListBarsRequest {
  readonly symbol: string
  readonly interval: string
  readonly startTime: TimestampMessage | null
  readonly endTime: TimestampMessage | null
  readonly pageSize: number
  readonly pageToken: string
  readonly order: 'BAR_ORDER_UNSPECIFIED' | 'BAR_ORDER_OLDEST_FIRST' | 'BAR_ORDER_NEWEST_FIRST'
  readonly includeLive: boolean
}

export interface ListBarsResponse {
  readonly bars: readonly BarMessage[]
  readonly nextPageToken: string
}

export interface SymbolInfoMessage {
  readonly symbol: string
  readonly status: string
  readonly intervals: readonly string[]
  readonly priceScale: number
  readonly quantityScale: number
  readonly quoteScale: number
  readonly tickSize: string
  readonly stepSize: string
  readonly simulated: boolean
  readonly feed: FeedMessage
}

export interface ListSymbolsResponse {
  readonly symbols: readonly SymbolInfoMessage[]
}
