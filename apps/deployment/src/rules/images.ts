import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, placeOf, workloadsOf } from '../workloads.ts'

/** Each image is one that stays the same: a tag that says which, or a digest. */
export function images({ objects }: Rendering): Finding[] {
  return workloadsOf(objects).flatMap(workload =>
    allContainersOf(workload).flatMap(container => {
      const { image = '' } = container
      const tag = /:([\w.-]+)$/.exec(image.replace(/@.*$/, ''))?.[1]
      if (image.includes('@sha256:') || (tag !== undefined && tag !== 'latest')) return []
      const what = `its image "${image}" may be another one tomorrow`
      return [{ object: placeOf(workload, container), what, remedy: 'give it a tag of one version, or a digest' }]
    }),
  )
}
