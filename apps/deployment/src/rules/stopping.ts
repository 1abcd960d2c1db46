import type { Finding } from '../finding.ts'
import { isOfTheService } from '../program-of.ts'
import type { Rendering } from '../rendering.ts'
import { appOf, workloadsOf } from '../workloads.ts'

/** The service's processes end by themselves within 25 s of SIGTERM (run.ts of @chart/service), and say so in the log; SIGKILL comes after that. */
const GRACE_SECONDS_MIN = 30

/** Whatever runs for ever is given the time that it needs to let go: leases, streams, the last commit. */
export function stopping(rendering: Rendering): Finding[] {
  return (
    workloadsOf(rendering.objects)
      .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
      // The simulator has nothing to let go.
      .filter(({ containers }) =>
        containers.some(container => isOfTheService(container, rendering) || !appOf(container)),
      )
      .filter(({ pod }) => (pod.terminationGracePeriodSeconds ?? 0) < GRACE_SECONDS_MIN)
      .map(({ title, pod }) => ({
        object: title,
        what: `is killed ${pod.terminationGracePeriodSeconds ?? 'an unsaid number of'} s after it was told to stop`,
        remedy: `set terminationGracePeriodSeconds to ${GRACE_SECONDS_MIN} or more`,
      }))
  )
}
