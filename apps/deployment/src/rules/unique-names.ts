import type { Finding } from '../finding.ts'
import { type KubeObject, ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'

/** Kinds that are in no namespace. */
const CLUSTER_WIDE: readonly KubeObject['kind'][] = ['Namespace', 'PriorityClass']

/** Each object stands once, in the namespace that the service makes. */
export function uniqueNames({ objects }: Rendering): Finding[] {
  const seen = new Set<string>()
  const spaces = ofKind(objects, 'Namespace').map(({ metadata }) => metadata?.name)
  return objects.flatMap(object => {
    const { apiVersion, metadata } = object
    const title = titleOf(object)
    const id = `${apiVersion} ${metadata?.namespace} ${title}`
    const findings: Finding[] = []
    if (seen.has(id)) findings.push({ object: title, what: 'is there twice', remedy: 'remove one' })
    seen.add(id)
    const space = metadata?.namespace
    if (CLUSTER_WIDE.includes(object.kind) ? space !== undefined : !spaces.includes(space)) {
      const remedy = `its namespace is one of: ${spaces.join(', ')}; kinds of the whole cluster have none`
      findings.push({ object: title, what: `is in the namespace ${space}`, remedy })
    }
    return findings
  })
}
