import type { IContainer } from 'kubernetes-models/v1/Container'
import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/** Terraform puts a checksum of the Secrets here; a plain kubectl says rollout restart. */
const CHECKSUM = 'chart/secrets-checksum'

/** What Kustomize ends the name of a generated ConfigMap with. */
const HASHED = /-[0-9a-z]{10}$/

/** A process reads its variables once. So another value must make other pods: by the ConfigMap's name, or by a checksum of the Secrets. */
export function rollouts({ objects }: Rendering): Finding[] {
  return workloadsOf(objects).flatMap(workload => {
    const containers = allContainersOf(workload)
    const unhashed = containers.flatMap(container =>
      configMapsOf(container)
        .filter(name => !HASHED.test(name))
        .map(name => ({
          object: placeOf(workload, container),
          what: `reads ConfigMap/${name}, whose name does not change with its content`,
          remedy: 'make it with configMapGenerator',
        })),
    )
    const isLasting = workload.kind === 'Deployment' || workload.kind === 'StatefulSet'
    if (!isLasting || !containers.some(readsSecret) || workload.annotations[CHECKSUM]) return unhashed
    const what = 'goes on with old Secrets when these change'
    return [...unhashed, { object: workload.title, what, remedy: `annotate its pod template with ${CHECKSUM}: unset` }]
  })
}

function configMapsOf({ envFrom = [], env = [] }: IContainer): string[] {
  return [
    ...envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
    ...env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
  ]
}

function readsSecret({ envFrom = [], env = [] }: IContainer): boolean {
  return envFrom.some(({ secretRef }) => secretRef) || env.some(({ valueFrom }) => valueFrom?.secretKeyRef)
}
