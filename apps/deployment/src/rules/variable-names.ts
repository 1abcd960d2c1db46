import { environmentOf } from '../environment.ts'
import type { Finding } from '../finding.ts'
import { programOf } from '../program-of.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/** Each name that a container of ours is given is one that its program reads: a name that nobody reads is a setting that does nothing. */
export function variableNames(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload =>
    allContainersOf(workload).flatMap(container => {
      const program = programOf(container, rendering)
      if (program === undefined) return []
      return [...environmentOf(container, rendering)]
        .filter(([name]) => !program.variables.has(name))
        .map(([name, { source }]) => ({
          object: placeOf(workload, container),
          what: `is given ${name} (${source}), which it does not read`,
          remedy: 'correct the name, or give it only to who reads it',
        }))
    }),
  )
}
