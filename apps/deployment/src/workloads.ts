import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IContainerPort } from 'kubernetes-models/v1/ContainerPort'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec'
import { type KubeObject, titleOf } from './kube-object.ts'

export type Labels = Readonly<Record<string, string>>

/** Anything that makes pods. */
export interface Workload {
  /** `Deployment/edge`. */
  readonly title: string
  readonly kind: 'Deployment' | 'StatefulSet' | 'Job' | 'CronJob'
  readonly name: string
  /** Pods that run at the same time, at least. Undefined where an autoscaler decides, and for jobs. */
  readonly replicas: number | undefined
  readonly labels: Labels
  readonly annotations: Labels
  /** Undefined where the API chooses it: jobs. */
  readonly selector: Labels | undefined
  readonly pod: IPodSpec
  readonly containers: readonly IContainer[]
  readonly initContainers: readonly IContainer[]
}

export function workloadsOf(objects: readonly KubeObject[]): Workload[] {
  return objects.flatMap(object => {
    switch (object.kind) {
      case 'Deployment':
      case 'StatefulSet':
        return workloadOf(object, object.spec?.template, object.spec?.replicas, object.spec?.selector.matchLabels)
      case 'Job':
        return workloadOf(object, object.spec?.template)
      case 'CronJob':
        return workloadOf(object, object.spec?.jobTemplate.spec?.template)
      default:
        return []
    }
  })
}

function workloadOf(
  object: Extract<KubeObject, { kind: Workload['kind'] }>,
  template: IPodTemplateSpec | undefined,
  replicas?: number,
  selector?: Labels,
): Workload[] {
  const pod = template?.spec
  if (pod === undefined) return []
  return [
    {
      title: titleOf(object),
      kind: object.kind,
      name: object.metadata?.name ?? '',
      replicas,
      labels: template?.metadata?.labels ?? {},
      annotations: template?.metadata?.annotations ?? {},
      selector,
      pod,
      containers: pod.containers,
      initContainers: pod.initContainers ?? [],
    },
  ]
}

/** Init containers first, as they run. */
export function allContainersOf({ initContainers, containers }: Workload): readonly IContainer[] {
  return [...initContainers, ...containers]
}

/** `Deployment/edge, container edge`: where a finding about a container is. */
export function placeOf(workload: Workload, container: IContainer): string {
  return `${workload.title}, container ${container.name}`
}

/** Images of ours, by the last part of their names. */
const APPS = ['ingestor', 'aggregator', 'persister', 'auditor', 'edge', 'dashboard', 'exchange-simulator', 'cli']

/** `edge` of `chart/edge:0.1.0`, `registry:5000/acme/edge` and `registry/chart-edge@sha256:…`; undefined for images that are not ours. */
export function appOf({ image = '' }: IContainer): string | undefined {
  const name = /(?:^|\/)(?:chart-)?([a-z-]+)(?::[\w.-]+)?(?:@.*)?$/.exec(image)?.[1]
  return APPS.find(app => app === name)
}

/** @param port its name or number. Undefined when no container has it. */
export function portOf({ containers }: Workload, port: string | number | undefined): IContainerPort | undefined {
  return containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name, containerPort }) => port === name || port === containerPort)
}
