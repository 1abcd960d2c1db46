import type { IContainer } from 'kubernetes-models/v1/Container'
import { environmentOf } from '../environment.ts'
import type { Finding } from '../finding.ts'
import { quantityOf } from '../quantity.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, appOf, placeOf, workloadsOf } from '../workloads.ts'

/** The rest is for buffers of sockets, code and threads' stacks, which are not in the heap. */
const HEAP_PERCENT_MAX = 75

/**
 * The heap of our processes is told from their limit of memory. Left to itself Node takes its size from what it believes the machine has; over the
 * limit the kernel kills the process, where a full heap would have been collected, or ended with a message.
 */
export function nodeHeap(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload =>
    allContainersOf(workload)
      .filter(container => appOf(container) !== undefined)
      .flatMap(container => {
        const object = placeOf(workload, container)
        const percent = heapPercentOf(container, rendering)
        if (percent === undefined) {
          const remedy = `set NODE_OPTIONS to --max-old-space-size-percentage=${HEAP_PERCENT_MAX} or less`
          return [{ object, what: 'does not say how large its heap may be', remedy }]
        }
        if (percent <= HEAP_PERCENT_MAX) return []
        const what = `its heap may be ${Math.round(percent)} % of its limit of memory`
        return [{ object, what, remedy: `leave at least ${100 - HEAP_PERCENT_MAX} % for what is not heap` }]
      }),
  )
}

/** Undefined when it is left to Node. */
function heapPercentOf(container: IContainer, rendering: Rendering): number | undefined {
  const options = environmentOf(container, rendering).get('NODE_OPTIONS')?.value ?? ''
  const percent = /--max[-_]old[-_]space[-_]size[-_]percentage=(\d+(?:\.\d+)?)/.exec(options)?.[1]
  if (percent !== undefined) return Number(percent)
  const mebibytes = /--max[-_]old[-_]space[-_]size=(\d+)/.exec(options)?.[1]
  const limit = quantityOf(container.resources?.limits?.memory)
  return mebibytes === undefined || limit === undefined ? undefined : ((Number(mebibytes) * 2 ** 20) / limit) * 100
}
