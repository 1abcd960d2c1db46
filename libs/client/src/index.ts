export type { TlsOptions } from '@chart/grpc'
export type { BarText } from '@chart/market'
export {
  type BarsOptions,
  type BarsPage,
  bars,
  type ChartClient,
  type ChartClientOptions,
  type EventsOptions,
  type ListBarsOptions,
  openChartClient,
  type Time,
} from './chart-client.ts'
export { ChartError, type ChartErrorCode } from './chart-error.ts'
export type { BarChange, ChartEvent, Feed, Gap, StreamedBar, SymbolInfo } from './chart-event.ts'
export type { Reconnect } from './resuming-stream.ts'
