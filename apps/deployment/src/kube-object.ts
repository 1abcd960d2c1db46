import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import type { IPrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import type { IServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { ICronJob } from 'kubernetes-models/batch/v1/CronJob'
import type { IJob } from 'kubernetes-models/batch/v1/Job'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass'
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap'
import type { ILimitRange } from 'kubernetes-models/v1/LimitRange'
import type { INamespace } from 'kubernetes-models/v1/Namespace'
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim'
import type { IResourceQuota } from 'kubernetes-models/v1/ResourceQuota'
import type { ISecret } from 'kubernetes-models/v1/Secret'
import type { IService } from 'kubernetes-models/v1/Service'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'

/** The kinds that the service is made of. Rules look at objects that object-schema has found valid, so that these types are true. */
export type KubeObject =
  | IConfigMap
  | ICronJob
  | IDeployment
  | IHorizontalPodAutoscaler
  | IJob
  | ILimitRange
  | INamespace
  | INetworkPolicy
  | IPersistentVolumeClaim
  | IPodDisruptionBudget
  | IPodMonitor
  | IPriorityClass
  | IPrometheusRule
  | IResourceQuota
  | IScaledObject
  | ISecret
  | IService
  | IServiceAccount
  | IServiceMonitor
  | IStatefulSet

export type Kind = KubeObject['kind']

export function ofKind<K extends Kind>(objects: readonly KubeObject[], kind: K): Extract<KubeObject, { kind: K }>[] {
  return objects.filter(object => object.kind === kind) as Extract<KubeObject, { kind: K }>[]
}

/** Undefined when there is none of that kind and name. */
export function named<K extends Kind>(objects: readonly KubeObject[], kind: K, name: string | undefined) {
  return ofKind(objects, kind).find(object => object.metadata?.name === name)
}

/** `Deployment/edge`, as people and kubectl name it; `Job/restore-` where each one gets a name of its own. */
export function titleOf({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return `${kind}/${metadata?.name ?? metadata?.generateName}`
}
