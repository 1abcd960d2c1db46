import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { leastReplicasOf } from '../replicas.ts'
import { selects } from '../selectors.ts'
import { workloadsOf } from '../workloads.ts'

/** Pods of an app that has several stand apart, so that one node or zone takes none of them all away. */
export function topologySpread({ objects }: Rendering): Finding[] {
  return workloadsOf(objects).flatMap(workload => {
    const constraints = workload.pod.topologySpreadConstraints ?? []
    const object = workload.title
    if (workload.kind === 'Deployment' && leastReplicasOf(workload, objects)! > 1 && constraints.length === 0) {
      return [{ object, what: 'may have all its pods on one node', todo: 'add topologySpreadConstraints' }]
    }
    return constraints
      .filter(({ labelSelector }) => !selects(labelSelector, workload.labels))
      .map(({ topologyKey }) => ({
        object,
        what: `its spread over ${topologyKey} does not count its own pods`,
        todo: 'let labelSelector match the labels of its pod template',
      }))
  })
}
