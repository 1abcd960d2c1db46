import type { BarEventType } from '@chart/grpc'

/** One change of one series, ready to be sent. */
export interface SeriesEvent {
  readonly type: BarEventType
  /** Start of its bar; 0 in a heartbeat. */
  readonly openTime: number
  /** As it stands in a StreamBarsResponse. */
  readonly frame: Uint8Array
}
