import { openMetrics as openAggregatorMetrics } from '@chart/aggregator/metrics'
import { openMetrics as openAuditorMetrics } from '@chart/auditor/metrics'
import { openMetrics as openDashboardMetrics } from '@chart/dashboard/metrics'
import { CallMetrics } from '@chart/edge/call-metrics'
import { openMetrics as openEdgeMetrics } from '@chart/edge/metrics'
import { openMetrics as openIngestorMetrics } from '@chart/ingestor/metrics'
import { openMetrics as openPersisterMetrics } from '@chart/persister/metrics'
import { collectDefaultMetrics, Histogram, Registry } from '@chart/service'

/** Names of all series that our apps show at /metrics, made by opening their metrics. Of a histogram the three that Prometheus sees. */
export function metricNames(): ReadonlySet<string> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  openIngestorMetrics(registry)
  openAggregatorMetrics(registry)
  openPersisterMetrics(registry, { waitingCount: async () => 0, failedCount: async () => 0 })
  openAuditorMetrics(registry)
  openEdgeMetrics(registry)
  openDashboardMetrics(registry)
  new CallMetrics(registry, () => 0)
  return new Set(
    registry.getMetricsAsArray().flatMap(({ name }) => {
      const isHistogram = registry.getSingleMetric(name) instanceof Histogram
      return isHistogram ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
    }),
  )
}
