import type { IContainer } from 'kubernetes-models/v1/Container'
import { configDataOf, environmentOf, secretDataOf } from '../environment.ts'
import type { Finding } from '../finding.ts'
import { named } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, type Workload, workloadsOf } from '../workloads.ts'

/** Whatever is mounted is a volume of the pod, and whatever file a program is told to read lies in something that is mounted. */
export function mounts(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload => {
    const volumes = volumeNamesOf(workload, rendering)
    return allContainersOf(workload).flatMap(container => [
      ...(container.volumeMounts ?? [])
        .filter(({ name }) => !volumes.includes(name))
        .map(({ name }) => ({
          object: placeOf(workload, container),
          what: `mounts ${name}, which is no volume of its pod`,
          remedy: 'add it to volumes',
        })),
      ...fileFindings(workload, container, rendering),
    ])
  })
}

function volumeNamesOf({ pod, kind, name }: Workload, { objects }: Rendering): string[] {
  const claims = kind === 'StatefulSet' ? (named(objects, kind, name)?.spec?.volumeClaimTemplates ?? []) : []
  return [...(pod.volumes ?? []).map(volume => volume.name), ...claims.map(({ metadata }) => metadata?.name ?? '')]
}

/** Variables that name a file end in _FILE. */
function fileFindings(workload: Workload, container: IContainer, rendering: Rendering): Finding[] {
  return [...environmentOf(container, rendering)].flatMap(([name, { value }]) => {
    if (!name.endsWith('_FILE') || !value) return []
    const problem = problemOf(value, workload, container, rendering)
    return problem === undefined
      ? []
      : [
          {
            object: placeOf(workload, container),
            what: `${name}=${value}: ${problem}`,
            remedy: 'mount what has this file',
          },
        ]
  })
}

function problemOf(file: string, { pod }: Workload, container: IContainer, rendering: Rendering): string | undefined {
  const mount = (container.volumeMounts ?? []).find(({ mountPath }) => file.startsWith(`${mountPath}/`))
  if (mount === undefined) return 'nothing is mounted there'
  const volume = pod.volumes?.find(({ name }) => name === mount.name)
  const source = volume?.secret ?? volume?.configMap
  if (source === undefined) return undefined
  // Made by somebody else, or by nobody: its files are known in the cluster only. (Terraform compares them with its inputs.)
  if (volume?.configMap?.optional && configDataOf(volume.configMap.name, rendering) === undefined) return undefined
  const data = volume?.secret
    ? secretDataOf(volume.secret.secretName, rendering)
    : configDataOf(volume?.configMap?.name, rendering)
  const paths = source.items?.map(({ path }) => path) ?? Object.keys(data ?? {})
  return paths.includes(file.slice(mount.mountPath.length + 1))
    ? undefined
    : `what is mounted there has ${paths.join(', ')}`
}
