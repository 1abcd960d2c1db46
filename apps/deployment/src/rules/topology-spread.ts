import type { ITopologySpreadConstraint } from 'kubernetes-models/v1/TopologySpreadConstraint'
import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { leastReplicasOf } from '../replicas.ts'
import { selects } from '../selectors.ts'
import { type Workload, workloadsOf } from '../workloads.ts'

/** Pods of an app that has several stand apart, counted among themselves, so that one node or zone takes none of them all away. */
export function topologySpread({ objects }: Rendering): Finding[] {
  const workloads = workloadsOf(objects)
  return workloads.flatMap(workload => {
    const object = workload.title
    const constraints = workload.pod.topologySpreadConstraints ?? []
    if (workload.kind === 'Deployment' && leastReplicasOf(workload, objects)! > 1 && constraints.length === 0) {
      return [{ object, what: 'may have all its pods on one node', remedy: 'add topologySpreadConstraints' }]
    }
    return constraints.flatMap(constraint => {
      const counted = workloads.filter(other => counts(constraint, workload, other)).map(({ title }) => title)
      if (counted.length === 1 && counted[0] === object) return []
      const what = `its spread over ${constraint.topologyKey} counts the pods of ${counted.join(', ') || 'nobody'}`
      return [{ object, what, remedy: 'let labelSelector and matchLabelKeys take its own pods, and no others' }]
    })
  })
}

/** Whether the scheduler counts the pods of another workload when it places those of this one. */
function counts(
  { labelSelector, matchLabelKeys = [] }: ITopologySpreadConstraint,
  placed: Workload,
  other: Workload,
): boolean {
  const isOfSameKeys = matchLabelKeys.every(key => placed.labels[key] === other.labels[key])
  return isOfSameKeys && selects(labelSelector, other.labels)
}
