import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IVolume } from 'kubernetes-models/v1/Volume'
import { configDataOf, secretDataOf } from '../environment.ts'
import type { Finding } from '../finding.ts'
import { type Kind, named } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/** Something that a pod names, and without which it does not start. */
interface Reference {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string | undefined
  /** Undefined: all of them. */
  readonly key?: string | undefined
  readonly optional?: boolean | undefined
}

/** Every ConfigMap, Secret and key, claim, account and priority that a pod names is there, or is promised by k8s/secrets.example.yaml. */
export function references(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload => {
    const { pod, title } = workload
    const mounts = (pod.volumes ?? []).flatMap(volume =>
      unmet(volumeReferences(volume), rendering).map(what => ({ object: `${title}, volume ${volume.name}`, what })),
    )
    const variables = allContainersOf(workload).flatMap(container =>
      unmet(containerReferences(container), rendering).map(what => ({ object: placeOf(workload, container), what })),
    )
    const objects = [
      ...claimsOf(pod.volumes ?? []).map(name => ['PersistentVolumeClaim', name] as const),
      ['ServiceAccount', pod.serviceAccountName] as const,
      ['PriorityClass', builtIn(pod.priorityClassName)] as const,
    ]
      .filter(([kind, name]) => name !== undefined && named(rendering.objects, kind as Kind, name) === undefined)
      .map(([kind, name]) => ({ object: title, what: `names ${kind}/${name}, which is not there` }))
    return [...mounts, ...variables, ...objects].map(finding => ({ ...finding, remedy: 'correct the name, or add it' }))
  })
}

function unmet(references: readonly Reference[], rendering: Rendering): string[] {
  return references.flatMap(({ kind, name, key, optional }) => {
    if (optional) return []
    const data = kind === 'ConfigMap' ? configDataOf(name, rendering) : secretDataOf(name, rendering)
    if (data === undefined) return [`names ${kind}/${name}, which is not there`]
    return key === undefined || key in data ? [] : [`names the key ${key} of ${kind}/${name}, which has none such`]
  })
}

function containerReferences({ envFrom = [], env = [] }: IContainer): Reference[] {
  const all = envFrom.flatMap(({ configMapRef, secretRef }) => [
    ...(configMapRef ? [{ kind: 'ConfigMap' as const, ...configMapRef }] : []),
    ...(secretRef ? [{ kind: 'Secret' as const, ...secretRef }] : []),
  ])
  const single = env.flatMap(({ valueFrom: { configMapKeyRef: config, secretKeyRef: secret } = {} }) => [
    ...(config ? [{ kind: 'ConfigMap' as const, ...config }] : []),
    ...(secret ? [{ kind: 'Secret' as const, ...secret }] : []),
  ])
  return [...all, ...single] as Reference[]
}

function volumeReferences({ configMap, secret, projected }: IVolume): Reference[] {
  const keysOf = (items: readonly { key: string }[] | undefined) => items?.map(({ key }) => key) ?? [undefined]
  const sources = projected?.sources ?? []
  return [
    ...[configMap, ...sources.map(source => source.configMap)].flatMap(source =>
      source ? keysOf(source.items).map(key => ({ ...source, kind: 'ConfigMap' as const, key })) : [],
    ),
    ...[secret && { ...secret, name: secret.secretName }, ...sources.map(source => source.secret)].flatMap(source =>
      source ? keysOf(source.items).map(key => ({ ...source, kind: 'Secret' as const, key })) : [],
    ),
  ] as Reference[]
}

function claimsOf(volumes: readonly IVolume[]): string[] {
  return volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
}

/** The cluster's own classes are there without us. */
function builtIn(name: string | undefined): string | undefined {
  return name?.startsWith('system-') ? undefined : name
}
