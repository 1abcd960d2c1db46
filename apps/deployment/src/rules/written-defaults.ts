import type { IContainer } from 'kubernetes-models/v1/Container'
import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { placeOf, type Workload, workloadsOf } from '../workloads.ts'

/**
 * What the API would add inside of one of several kinds (of volumes, of probes) is written down. Terraform's provider sends back what the API
 * added last time, in lists by place: where a Secret is now and a ConfigMap was, the ConfigMap's `defaultMode` would come along, and the API
 * refuses a volume of two kinds. What was written once and is not any more, it leaves out.
 */
export function writtenDefaults({ objects }: Rendering): Finding[] {
  return workloadsOf(objects).flatMap(workload => [
    ...volumeFindings(workload),
    ...workload.containers.flatMap(container => probeFindings(placeOf(workload, container), container)),
  ])
}

function volumeFindings({ title, pod }: Workload): Finding[] {
  return (pod.volumes ?? [])
    .filter(({ configMap, secret }) => (configMap ?? secret ?? { defaultMode: 0 }).defaultMode === undefined)
    .map(({ name }) => ({
      object: title,
      what: `leaves the mode of the volume ${name} to the API`,
      remedy: 'set defaultMode',
    }))
}

function probeFindings(object: string, { startupProbe, readinessProbe, livenessProbe }: IContainer): Finding[] {
  return Object.entries({ startupProbe, readinessProbe, livenessProbe })
    .filter(([, probe]) => probe?.httpGet !== undefined && probe.httpGet.scheme === undefined)
    .map(([name]) => ({ object, what: `leaves the scheme of its ${name} to the API`, remedy: 'set scheme: HTTP' }))
}
