import type { Finding } from '../finding.ts'
import { quantityOf } from '../quantity.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/**
 * Every container says what it needs (the scheduler and autoscalers count on that) and how much memory it may take. A limit of CPU is not
 * asked for: it slows a process in the very burst that it was scaled for.
 */
export function resources({ objects }: Rendering): Finding[] {
  return workloadsOf(objects).flatMap(workload =>
    allContainersOf(workload).flatMap(container => {
      const { requests = {}, limits = {} } = container.resources ?? {}
      const findings: Finding[] = []
      const add = (what: string, remedy: string) =>
        findings.push({ object: placeOf(workload, container), what, remedy })
      for (const name of ['cpu', 'memory']) {
        if (!(quantityOf(requests[name])! > 0)) add(`requests no ${name}`, `set resources.requests.${name}`)
      }
      if (!(quantityOf(limits.memory)! > 0)) add('has no limit of memory', 'set resources.limits.memory')
      for (const name of Object.keys(limits)) {
        if (quantityOf(requests[name])! > quantityOf(limits[name])!) {
          add(`requests more ${name} than its limit`, 'raise the limit or lower the request')
        }
      }
      return findings
    }),
  )
}
