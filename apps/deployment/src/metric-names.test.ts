import { expect, test } from 'vitest'
import { metricNames } from './metric-names.ts'

test('the metrics of every app and of Node are known, a histogram by its series', () => {
  const names = metricNames()
  const wanted = [
    'chart_ingestor_leading_shards',
    'chart_aggregator_log_delay_seconds_bucket',
    'chart_persister_waiting_jobs',
  ]
  for (const name of [
    ...wanted,
    'chart_auditor_leading',
    'chart_edge_streams',
    'chart_edge_connections',
    'chart_dashboard_pages',
  ]) {
    expect(names).toContain(name)
  }
  expect(names).toContain('nodejs_eventloop_lag_p99_seconds')
  expect(names).not.toContain('chart_aggregator_log_delay_seconds')
})
