import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { workloadsOf } from '../workloads.ts'

/** When nodes run short it is said beforehand what goes first; references.ts sees that the class is there. */
export function priorities({ objects }: Rendering): Finding[] {
  return workloadsOf(objects)
    .filter(({ pod }) => !pod.priorityClassName)
    .map(({ title }) => ({ object: title, what: 'has no priority', remedy: 'set priorityClassName' }))
}
