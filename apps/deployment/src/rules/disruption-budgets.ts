import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { leastReplicasOf } from '../replicas.ts'
import { selects } from '../selectors.ts'
import { workloadsOf } from '../workloads.ts'

/**
 * Whatever has several pods keeps most of them while nodes are drained; and a drain gets on: a budget that allows no eviction stops it for
 * ever.
 */
export function disruptionBudgets({ objects }: Rendering): Finding[] {
  const budgets = ofKind(objects, 'PodDisruptionBudget')
  const workloads = workloadsOf(objects)
  const unguarded = workloads
    .filter(workload => workload.kind === 'Deployment' && leastReplicasOf(workload, objects)! > 1)
    .filter(({ labels }) => !budgets.some(({ spec }) => selects(spec?.selector, labels)))
    .map(({ title }) => ({
      object: title,
      what: 'has no PodDisruptionBudget',
      remedy: 'add one that selects its pods',
    }))
  return [
    ...unguarded,
    ...budgets.flatMap(budget => {
      const object = titleOf(budget)
      const guarded = workloads.filter(({ labels }) => selects(budget.spec?.selector, labels))
      const [workload] = guarded
      if (guarded.length !== 1 || workload === undefined) {
        const names = guarded.map(({ title }) => title).join(', ') || 'nothing'
        return [{ object, what: `selects ${names}`, remedy: 'let it select the pods of one workload' }]
      }
      const replicas = leastReplicasOf(workload, objects)
      if (replicas === undefined) return [{ object, what: 'guards a job', remedy: 'remove it' }]
      return evictionFindings(object, evictionsOf(budget, replicas), replicas)
    }),
  ]
}

function evictionFindings(object: string, evictions: number, replicas: number): Finding[] {
  if (evictions < 1) {
    const what = `allows no eviction when ${replicas} pods run`
    return [{ object, what, remedy: 'keep fewer than the replicas, or run more' }]
  }
  if (replicas > 1 && evictions >= replicas) {
    return [{ object, what: `lets all of ${replicas} pods be evicted at once`, remedy: 'let it keep one at least' }]
  }
  return []
}

/** Pods that may go while all run. The API rounds percentages up, of both fields. */
function evictionsOf({ spec }: IPodDisruptionBudget, replicas: number): number {
  const countOf = (value: string | number) =>
    typeof value === 'number' ? value : Math.ceil((Number.parseFloat(value) / 100) * replicas)
  if (spec?.minAvailable !== undefined) return replicas - countOf(spec.minAvailable)
  return spec?.maxUnavailable === undefined ? 0 : countOf(spec.maxUnavailable)
}
