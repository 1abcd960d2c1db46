import type { Finding } from '../finding.ts'
import { type KubeObject, ofKind, titleOf } from '../kube-object.ts'
import { metricsIn } from '../promql-names.ts'
import type { Rendering } from '../rendering.ts'

/** Series of others: of the cluster, of its nodes, of exporters for Redis and PostgreSQL, and of Prometheus itself. */
const OF_OTHERS = /^(?:up$|ALERTS|kube_|kubelet_|container_|node_|redis_|pg_|prometheus_|scrape_)/

/** Whatever is scaled, alerted or recorded by a series of ours: an app shows that series, or a recording rule makes it. */
export function knownMetrics({ objects, metrics }: Rendering): Finding[] {
  const recorded = new Set(recordedIn(objects))
  const isKnown = (name: string) => metrics.has(name) || recorded.has(name) || OF_OTHERS.test(name)
  return usesIn(objects).flatMap(({ object, name }) =>
    isKnown(name)
      ? []
      : [
          {
            object,
            what: `reads ${name}, which nothing shows`,
            remedy: 'use a name of apps/*/src/*metrics.ts or record it',
          },
        ],
  )
}

/** Names that recording rules give. */
export function recordedIn(objects: readonly KubeObject[]): string[] {
  return rulesOf(objects).flatMap(({ record }) => record ?? [])
}

interface Use {
  readonly object: string
  readonly name: string
}

function usesIn(objects: readonly KubeObject[]): Use[] {
  const rules = rulesOf(objects).flatMap(({ title, name, expression }) =>
    metricsIn(expression).map(metric => ({ object: `${title}, ${name}`, name: metric })),
  )
  const scaled = ofKind(objects, 'HorizontalPodAutoscaler').flatMap(autoscaler =>
    (autoscaler.spec?.metrics ?? []).flatMap(({ pods, object, external }) => {
      const name = (pods ?? object ?? external)?.metric.name
      return name === undefined ? [] : [{ object: titleOf(autoscaler), name }]
    }),
  )
  const triggered = ofKind(objects, 'ScaledObject').flatMap(scaledObject =>
    scaledObject.spec.triggers
      .flatMap(({ metadata }) => metricsIn(metadata.query ?? ''))
      .map(name => ({ object: titleOf(scaledObject), name })),
  )
  return [...rules, ...scaled, ...triggered]
}

function rulesOf(objects: readonly KubeObject[]) {
  return ofKind(objects, 'PrometheusRule').flatMap(rule =>
    (rule.spec?.groups ?? []).flatMap(({ rules = [] }) =>
      rules.map(({ alert, record, expr }) => ({
        title: titleOf(rule),
        name: alert ?? record,
        record,
        expression: String(expr),
      })),
    ),
  )
}
