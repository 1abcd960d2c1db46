import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import { hasPort, networkRulesOf } from '../network-rules.ts'
import type { Rendering } from '../rendering.ts'
import { selects } from '../selectors.ts'
import { portOf, type Workload, workloadsOf } from '../workloads.ts'

/** What a Service leads to is let in by some policy; kubelet's probes need none. */
export function networkPorts({ objects }: Rendering): Finding[] {
  const workloads = workloadsOf(objects)
  return ofKind(objects, 'Service').flatMap(service => {
    const { selector, ports = [] } = service.spec ?? {}
    const behind = workloads.filter(({ labels }) => selector && selects({ matchLabels: selector }, labels))
    return behind.flatMap(workload =>
      ports
        .map(({ port, targetPort = port }) => targetPort)
        .filter(target => isShut(workload, target, { objects }))
        .map(target => ({
          object: workload.title,
          what: `no NetworkPolicy lets anybody reach port ${target}, to which ${titleOf(service)} leads`,
          remedy: 'add an ingress rule, or remove the port',
        })),
    )
  })
}

function isShut(workload: Workload, target: string | number, { objects }: Pick<Rendering, 'objects'>): boolean {
  const port = portOf(workload, target)
  if (port === undefined) return false
  const { name, containerPort, protocol = 'TCP' } = port
  const rules = networkRulesOf(workload, 'Ingress', objects)
  return !rules.some(rule => hasPort(rule, containerPort, protocol, name === undefined ? [] : [name]))
}
