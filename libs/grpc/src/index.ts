export { type BarClient, openBarClient } from './bar-client.ts'
export {
  type BarEventType,
  type FeedText,
  feedStateName,
  frameBarEvent,
  frameGap,
  frameHeartbeat,
  frameWithMerged,
  type GapText,
} from './bar-event.ts'
export {
  type BarMessage,
  barOfMessage,
  decodeBar,
  encodeBar,
  messageOfBar,
  type TimestampMessage,
  timeOfTimestamp,
  timestampOfTime,
} from './bar-message.ts'
export { type BarServer, type BarStream, type ChartHandlers, serveBars } from './bar-server.ts'
export { decodeUpdate, encodeUpdate, type IntervalBar, type PartitionUpdate, type SymbolUpdate } from './bar-update.ts'
export type {
  BarEventMessage,
  BarGapMessage,
  BarVersionMessage,
  FeedMessage,
  GetLiveBarRequest,
  GetLiveBarResponse,
  ListBarsRequest,
  ListBarsResponse,
  ListSymbolsResponse,
  SeriesPositionMessage,
  StreamBarsRequest,
  StreamBarsResponse,
  SymbolInfoMessage,
} from './messages.ts'
export { decodeResponse } from './proto.ts'
export { type RpcCode, RpcError } from './rpc-error.ts'
export { type BarVersion, framePositions, positionOfMessage, type SeriesPosition } from './series-position.ts'
