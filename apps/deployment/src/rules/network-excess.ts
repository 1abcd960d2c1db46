import type { Finding } from '../finding.ts'
import { networkRulesOf } from '../network-rules.ts'
import { DNS_PORT, waysOf } from '../network-ways.ts'
import { programOf } from '../program-of.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, type Workload, workloadsOf } from '../workloads.ts'

/** No program of ours may go where none of its variables leads: what takes one over gets no further than the app itself. */
export function networkExcess(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload => {
    const containers = allContainersOf(workload)
    if (!containers.some(container => programOf(container, rendering) !== undefined)) return []
    const used = containers.flatMap(container => waysOf(container, rendering)).map(({ port }) => port)
    return exitPortsOf(workload, rendering)
      .filter(port => port !== DNS_PORT && !used.some(one => one === port))
      .map(port => ({
        object: workload.title,
        what: `may go out to port ${port ?? 'any'}, to which none of its variables leads`,
        remedy: 'take it out of the egress of the policies that select it',
      }))
  })
}

/** Undefined stands for a rule that names no ports. */
function exitPortsOf(workload: Workload, { objects }: Rendering): (number | string | undefined)[] {
  const ports = networkRulesOf(workload, 'Egress', objects).flatMap(
    rule => rule.ports?.map(({ port }) => port) ?? [undefined],
  )
  return [...new Set(ports)]
}
