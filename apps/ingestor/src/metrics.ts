import { STOP_STATUSES } from '@chart/binance'
import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'
import { FeedMetrics } from './feed-metrics.ts'

/** What became of an append: `mismatch`, the log stood elsewhere; `fenced`, another leads. */
const APPEND_RESULTS = ['ok', 'mismatch', 'fenced', 'error']

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(registry: Registry) {
  const registers = [registry]
  return {
    received: new Counter({ name: 'chart_ingestor_received_trades_total', help: 'Trades from the socket', registers }),
    duplicates: new Counter({
      name: 'chart_ingestor_duplicate_trades_total',
      help: 'Trades that were known already',
      registers,
    }),
    malformed: new Counter({
      name: 'chart_ingestor_malformed_messages_total',
      help: 'Messages of the exchange that could not be used',
      registers,
    }),
    backfilled: new Counter({
      name: 'chart_ingestor_backfilled_trades_total',
      help: 'Trades fetched by id',
      registers,
    }),
    gaps: new Counter({ name: 'chart_ingestor_gaps_total', help: 'Gaps found in the ids of trades', registers }),
    holes: new Counter({
      name: 'chart_ingestor_exchange_holes_total',
      help: 'Gaps that the exchange itself has',
      registers,
    }),
    refused: new Counter({
      name: 'chart_ingestor_refused_trades_total',
      help: 'Trades left to backfill because too many waited for Redis',
      registers,
    }),
    steals: new Counter({
      name: 'chart_ingestor_steals_total',
      help: 'Leads taken because the log stood still while this standby had its next trade',
      registers,
    }),
    disconnects: new Counter({ name: 'chart_ingestor_feed_disconnects_total', help: 'Feeds lost', registers }),
    appended: new Counter({ name: 'chart_ingestor_appended_trades_total', help: 'Trades in the trade log', registers }),
    entries: counterBy('result', APPEND_RESULTS, {
      name: 'chart_ingestor_appends_total',
      help: 'Appends by result',
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'chart_ingestor_append_seconds',
      help: 'Time of one append',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
      registers,
    }),
    feedSeconds: new Histogram({
      name: 'chart_ingestor_feed_delay_seconds',
      help: 'From the trade time at the exchange to the receipt here, of the slowest of the trades that came at once; clocks may differ',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    restStops: counterBy('status', STOP_STATUSES.map(String), {
      name: 'chart_ingestor_rest_stops_total',
      help: 'Answers of the exchange that forbid further requests for a while, by their HTTP status',
      registers,
    }),
    leading: new Gauge({ name: 'chart_ingestor_leading_shards', help: 'Feed shards led by this process', registers }),
    feeds: new FeedMetrics(registry),
  }
}
