import { openMetrics as openAggregatorMetrics } from '@chart/aggregator/metrics'
import { openMetrics as openAuditorMetrics } from '@chart/auditor/metrics'
import { openMetrics as openDashboardMetrics } from '@chart/dashboard/metrics'
import { CallMetrics } from '@chart/edge/call-metrics'
import { openMetrics as openEdgeMetrics } from '@chart/edge/metrics'
import { openMetrics as openIngestorMetrics } from '@chart/ingestor/metrics'
import { openMetrics as openPersisterMetrics } from '@chart/persister/metrics'
import { Registry } from '@chart/service'

type OpenMetrics = (registry: Registry) => unknown

const OPENERS: Readonly<Record<string, OpenMetrics>> = {
  ingestor: openIngestorMetrics,
  aggregator: openAggregatorMetrics,
  persister: registry => openPersisterMetrics(registry, { waitingCount: async () => 0, failedCount: async () => 0 }),
  auditor: openAuditorMetrics,
  edge: registry => [openEdgeMetrics(registry), new CallMetrics(registry, () => 0)],
  dashboard: openDashboardMetrics,
}

/** The metrics of each app, as it opens them, by its name. */
export function openAppMetrics(): ReadonlyMap<string, Registry> {
  return new Map(
    Object.entries(OPENERS).map(([app, openMetrics]) => {
      const registry = new Registry()
      openMetrics(registry)
      return [app, registry]
    }),
  )
}
