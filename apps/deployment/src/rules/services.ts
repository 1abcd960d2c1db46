import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { selects } from '../selectors.ts'
import { portOf, workloadsOf } from '../workloads.ts'

/** A Service leads to pods that are there, and to ports that they have; pods without such a port are passed over by the cluster. */
export function services({ objects }: Rendering): Finding[] {
  const workloads = workloadsOf(objects)
  return ofKind(objects, 'Service').flatMap(service => {
    const object = titleOf(service)
    const { selector, ports = [] } = service.spec ?? {}
    const behind = workloads.filter(({ labels }) => selector && selects({ matchLabels: selector }, labels))
    if (behind.length === 0)
      return [{ object, what: 'selects no pods', remedy: 'select by the labels of a pod template' }]
    return ports
      .map(({ port, targetPort = port }) => targetPort)
      .filter(port => !behind.some(workload => portOf(workload, port)))
      .map(port => ({
        object,
        what: `leads to port ${port}, which none of its pods has`,
        remedy: 'name a port of theirs',
      }))
  })
}
