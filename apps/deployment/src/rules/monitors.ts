import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { type Selector, selects } from '../selectors.ts'
import { portOf, workloadsOf } from '../workloads.ts'

/** What collects metrics finds pods or Services that are there, with the port that it asks. */
export function monitors({ objects }: Rendering): Finding[] {
  const workloads = workloadsOf(objects)
  const ofPods = ofKind(objects, 'PodMonitor').flatMap(monitor => {
    const found = workloads.filter(({ labels }) => selects(monitor.spec.selector as Selector, labels))
    const ports = (monitor.spec.podMetricsEndpoints ?? []).map(({ port }) => port)
    return portFindings(titleOf(monitor), ports, found, (workload, port) => portOf(workload, port) !== undefined)
  })
  const ofServices = ofKind(objects, 'ServiceMonitor').flatMap(monitor => {
    const found = ofKind(objects, 'Service')
      .filter(({ metadata }) => selects(monitor.spec.selector as Selector, metadata?.labels ?? {}))
      .map(service => ({ title: titleOf(service), ports: (service.spec?.ports ?? []).map(({ name }) => name) }))
    const ports = monitor.spec.endpoints.map(({ port }) => port)
    return portFindings(titleOf(monitor), ports, found, ({ ports }, port) => ports.includes(port))
  })
  return [...ofPods, ...ofServices]
}

function portFindings<T extends { readonly title: string }>(
  object: string,
  ports: readonly (string | undefined)[],
  found: readonly T[],
  has: (one: T, port: string | undefined) => boolean,
): Finding[] {
  if (found.length === 0) return [{ object, what: 'selects nothing', remedy: 'select by labels that are there' }]
  return ports.flatMap(port =>
    found
      .filter(one => !has(one, port))
      .map(({ title }) => ({
        object,
        what: `asks port ${port}, which ${title} does not have`,
        remedy: 'name a port of it',
      })),
  )
}
