import { collectDefaultMetrics, Histogram, Registry } from '@chart/service'
import { openAppMetrics } from './app-metrics.ts'

/** Names of all series that our apps show at /metrics, made by opening their metrics. Of a histogram the three that Prometheus sees. */
export function metricNames(): ReadonlySet<string> {
  const node = new Registry()
  collectDefaultMetrics({ register: node })
  return new Set([node, ...openAppMetrics().values()].flatMap(namesIn))
}

function namesIn(registry: Registry): string[] {
  return registry.getMetricsAsArray().flatMap(({ name }) => {
    const isHistogram = registry.getSingleMetric(name) instanceof Histogram
    return isHistogram ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  })
}
