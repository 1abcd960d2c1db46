export { type TradePage, tradesFrom } from './backfill.ts'
export { type Backoff, backoffDelayMs, RECONNECT_BACKOFF, REST_BACKOFF } from './backoff.ts'
export { FEED_LIMITS, type FeedLimits } from './feed-limits.ts'
export {
  AUDITED_FIELDS,
  type AuditedField,
  barOfKline,
  differencesOf,
  type FieldDifference,
  type TradeIds,
} from './kline-audit.ts'
export { type KlineFeedOptions, openKlineFeed } from './kline-feed.ts'
export { klineMessageOf, type StreamKline } from './kline-message.ts'
export type { Log } from './log.ts'
export { BinanceRest, type BinanceRestOptions, type ExchangeRest, type RestTrades } from './rest.ts'
export { RestError, STOP_STATUSES, UnknownSymbolError } from './rest-error.ts'
export type { Kline, SymbolInfo, TradeStatistic } from './rest-message.ts'
export { retrying } from './retrying.ts'
export { type FeedEvent, openTradeFeed, type TradeFeedOptions } from './trade-feed.ts'
export { type FeedMessage, feedMessageOf, MalformedMessageError, tradeOfRestRow } from './trade-message.ts'
