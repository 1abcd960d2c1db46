import { Counter, counterBy, Gauge, Histogram, type Registry } from '@chart/service'
import { ShareMetrics } from './share-metrics.ts'

/** `conflict`: the partition stood elsewhere than we thought; `fenced`: another owns it. */
const COMMIT_RESULTS = ['ok', 'conflict', 'fenced', 'error']

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(registry: Registry) {
  const registers = [registry]
  return {
    trades: new Counter({ name: 'chart_aggregator_trades_total', help: 'Trades folded into bars', registers }),
    duplicates: new Counter({
      name: 'chart_aggregator_duplicate_trades_total',
      help: 'Trades already counted',
      registers,
    }),
    late: new Counter({
      name: 'chart_aggregator_late_trades_total',
      help: 'Trades of bars that were closed',
      registers,
    }),
    missing: new Counter({
      name: 'chart_aggregator_missing_trades_total',
      help: 'Trade ids that the exchange itself passed over',
      registers,
    }),
    beyondReach: new Counter({
      name: 'chart_aggregator_unreachable_bars_total',
      help: 'Closed bars that a late trade belonged to but which were no longer kept',
      registers,
    }),
    closed: new Counter({ name: 'chart_aggregator_closed_bars_total', help: 'Bars closed', registers }),
    corrected: new Counter({ name: 'chart_aggregator_corrected_bars_total', help: 'Bars restated', registers }),
    commits: counterBy('result', COMMIT_RESULTS, {
      name: 'chart_aggregator_commits_total',
      help: 'Commits by result',
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'chart_aggregator_commit_seconds',
      help: 'Time of one commit',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
      registers,
    }),
    logSeconds: new Histogram({
      name: 'chart_aggregator_log_delay_seconds',
      help: 'From the append of a log entry to the commit of its bars',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10],
      registers,
    }),
    owned: new Gauge({ name: 'chart_aggregator_owned_partitions', help: 'Partitions owned', registers }),
    share: new ShareMetrics(registry),
    pending: new Gauge({
      name: 'chart_aggregator_pending_bars',
      help: 'Closed bars of owned partitions that PostgreSQL has not confirmed',
      registers,
    }),
    swept: new Counter({ name: 'chart_aggregator_swept_bars_total', help: 'Pending bars queued again', registers }),
    steals: new Counter({
      name: 'chart_aggregator_steals_total',
      help: 'Partitions claimed because their owner stood still while their log grew',
      registers,
    }),
    rewinds: new Counter({
      name: 'chart_aggregator_log_rewinds_total',
      help: 'Logs emptied because of a hole',
      registers,
    }),
  }
}
