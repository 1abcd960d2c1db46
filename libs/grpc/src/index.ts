export { type ApiKey, apiKeyOf, hashOfSecret, isKeyId, isSecretOf, newApiKey, textOfApiKey } from './api-key.ts'
export { type BarClient, type BarClientOptions, openBarClient, type RpcFailure, rpcFailureOf } from './bar-client.ts'
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
  encodeExactBar,
  messageOfBar,
  type TimestampMessage,
  timeOfTimestamp,
  timestampOfTime,
} from './bar-message.ts'
export { type BarServer, type BarServerOptions, type ChartHandlers, serveBars } from './bar-server.ts'
export type { BarStream } from './bar-stream.ts'
export { decodeUpdate, encodeUpdate, type IntervalBar, type PartitionUpdate, type SymbolUpdate } from './bar-update.ts'
export type { Admission, CallEnd, CallGuard, IncomingCall } from './call-guard.ts'
export type { ConnectionEnd } from './connection-gate.ts'
export type { TlsOptions } from './edge-channel.ts'
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
export { decodeResponse, encodeResponse } from './proto.ts'
export { type RpcCode, RpcError } from './rpc-error.ts'
export {
  type BarVersion,
  framePositions,
  messageOfPosition,
  positionOfMessage,
  type SeriesPosition,
} from './series-position.ts'
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './server-limits.ts'
export type { TlsMaterial } from './tls-material.ts'
export { type Rate, TokenBucket } from './token-bucket.ts'
