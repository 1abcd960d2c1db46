import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/** What the level `restricted` lets a pod mount. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

const ENFORCE = 'pod-security.kubernetes.io/enforce'

/** Pod Security `restricted` in full, asked for by the namespace and kept by every pod, and a root file system that nobody writes to. */
export function podSecurity({ objects }: Rendering): Finding[] {
  const namespaces = ofKind(objects, 'Namespace').flatMap(namespace =>
    namespace.metadata?.labels?.[ENFORCE] === 'restricted'
      ? []
      : [{ object: titleOf(namespace), what: `its label ${ENFORCE} is not restricted`, remedy: 'set it' }],
  )
  const workloads = workloadsOf(objects).flatMap(workload => [
    ...podProblems(workload.pod).map(([what, remedy]) => ({ object: workload.title, what, remedy })),
    ...allContainersOf(workload).flatMap(container =>
      containerProblems(container, workload.pod).map(([what, remedy]) => ({
        object: placeOf(workload, container),
        what,
        remedy,
      })),
    ),
  ])
  return [...namespaces, ...workloads]
}

/** What is wrong, and what to do about it. */
type Problem = readonly [what: string, remedy: string]

function podProblems(pod: IPodSpec): Problem[] {
  const problems: Problem[] = []
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (pod[name]) problems.push([`has ${name}`, 'leave it out'])
  }
  for (const { name, ...source } of pod.volumes ?? []) {
    const odd = Object.keys(source).find(kind => !VOLUMES.includes(kind))
    if (odd !== undefined) problems.push([`volume ${name} is a ${odd}`, `use one of ${VOLUMES.join(', ')}`])
  }
  if ((pod.securityContext?.sysctls ?? []).length > 0) problems.push(['sets sysctls', 'leave them out'])
  return problems
}

function containerProblems(container: IContainer, pod: IPodSpec): Problem[] {
  const own = container.securityContext ?? {}
  const shared = pod.securityContext ?? {}
  const profile = (own.seccompProfile ?? shared.seccompProfile)?.type
  const added = (own.capabilities?.add ?? []).filter(name => name !== 'NET_BIND_SERVICE')
  const checks: (readonly [isBroken: boolean, ...Problem])[] = [
    [(own.runAsNonRoot ?? shared.runAsNonRoot) !== true, 'may run as root', 'set runAsNonRoot: true'],
    [(own.runAsUser ?? shared.runAsUser) === 0, 'runs as user 0', 'set runAsUser to another, such as 65532'],
    [profile !== 'RuntimeDefault' && profile !== 'Localhost', 'has no seccompProfile', 'set type: RuntimeDefault'],
    [own.allowPrivilegeEscalation !== false, 'may gain privileges', 'set allowPrivilegeEscalation: false'],
    [own.privileged === true, 'is privileged', 'leave privileged out'],
    [own.procMount !== undefined && own.procMount !== 'Default', `has procMount ${own.procMount}`, 'leave it out'],
    [!(own.capabilities?.drop ?? []).includes('ALL'), 'keeps capabilities', 'set capabilities.drop: [ALL]'],
    [added.length > 0, `adds the capabilities ${added.join(', ')}`, 'leave them out'],
    [own.readOnlyRootFilesystem !== true, 'may write to its root', 'set readOnlyRootFilesystem: true'],
    [(container.ports ?? []).some(({ hostPort }) => hostPort), 'takes a port of its host', 'leave hostPort out'],
  ]
  return checks.filter(([isBroken]) => isBroken).map(([, what, remedy]) => [what, remedy])
}
