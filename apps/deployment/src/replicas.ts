import { type KubeObject, ofKind } from './kube-object.ts'
import { type Workload, workloadsOf } from './workloads.ts'

/** What decides how many pods a workload has. */
export interface Scaler {
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject'
  readonly name: string
  readonly target: { readonly kind: string; readonly name: string }
  readonly minReplicas: number
  readonly maxReplicas: number
}

/** Defaults of the two APIs. */
const HPA_MIN = 1
const KEDA_MIN = 0
const KEDA_MAX = 100

export function scalersOf(objects: readonly KubeObject[]): Scaler[] {
  const autoscalers = ofKind(objects, 'HorizontalPodAutoscaler').flatMap(({ kind, metadata, spec }) => {
    if (spec === undefined) return []
    const { scaleTargetRef: target, minReplicas = HPA_MIN, maxReplicas } = spec
    return [{ kind, name: metadata?.name ?? '', target, minReplicas, maxReplicas }]
  })
  const scaled = ofKind(objects, 'ScaledObject').map(({ kind, metadata, spec }) => {
    const { scaleTargetRef, minReplicaCount = KEDA_MIN, maxReplicaCount = KEDA_MAX } = spec
    const target = { kind: scaleTargetRef.kind ?? 'Deployment', name: scaleTargetRef.name }
    return { kind, name: metadata?.name ?? '', target, minReplicas: minReplicaCount, maxReplicas: maxReplicaCount }
  })
  return [...autoscalers, ...scaled]
}

export function scalerOf(workload: Workload, objects: readonly KubeObject[]): Scaler | undefined {
  return scalersOf(objects).find(({ target }) => target.kind === workload.kind && target.name === workload.name)
}

export function targetOf({ target }: Scaler, objects: readonly KubeObject[]): Workload | undefined {
  return workloadsOf(objects).find(({ kind, name }) => kind === target.kind && name === target.name)
}

/** Pods that run at the same time when it is quiet; undefined for jobs. */
export function leastReplicasOf(workload: Workload, objects: readonly KubeObject[]): number | undefined {
  if (workload.kind === 'Job' || workload.kind === 'CronJob') return undefined
  return scalerOf(workload, objects)?.minReplicas ?? workload.replicas ?? 1
}
