import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import { quantityOf } from '../quantity.ts'
import type { Rendering } from '../rendering.ts'
import { type Scaler, scalersOf, targetOf } from '../replicas.ts'
import { workloadsOf } from '../workloads.ts'

/** What is scaled exists, by one scaler alone, which is the only one to say how many; and a share of a request needs the request. */
export function autoscaling({ objects }: Rendering): Finding[] {
  const scalers = scalersOf(objects)
  return [
    ...scalers.flatMap((scaler, index) => {
      const earlier = scalers.slice(0, index)
      return scalerFindings(scaler, earlier, { objects })
    }),
    ...utilizationFindings({ objects }),
  ]
}

type Objects = Pick<Rendering, 'objects'>

function scalerFindings(scaler: Scaler, earlier: readonly Scaler[], { objects }: Objects): Finding[] {
  const object = `${scaler.kind}/${scaler.name}`
  const target = targetOf(scaler, objects)
  const what = `${scaler.target.kind}/${scaler.target.name}`
  if (target === undefined) return [{ object, what: `scales ${what}, which is not there`, remedy: 'name one that is' }]
  const findings: Finding[] = []
  if (target.replicas !== undefined) {
    const remedy = 'remove replicas: each apply would undo what the scaler has decided'
    findings.push({ object: target.title, what: `says replicas and is scaled by ${object}`, remedy })
  }
  if (earlier.some(other => other.target.kind === scaler.target.kind && other.target.name === scaler.target.name)) {
    findings.push({ object, what: `is the second to scale ${what}`, remedy: 'keep one' })
  }
  if (scaler.minReplicas > scaler.maxReplicas) {
    findings.push({
      object,
      what: `keeps at least ${scaler.minReplicas} and at most ${scaler.maxReplicas}`,
      remedy: 'swap them',
    })
  }
  if (scaler.minReplicas < 1) {
    findings.push({ object, what: 'may scale to nothing', remedy: 'keep at least one: an app of none serves nobody' })
  }
  return findings
}

/** `60 %` of CPU is 60 % of what each container has requested. */
function utilizationFindings({ objects }: Objects): Finding[] {
  return ofKind(objects, 'HorizontalPodAutoscaler').flatMap(autoscaler => {
    const { name } = autoscaler.spec?.scaleTargetRef ?? {}
    const target = workloadsOf(objects).find(workload => workload.name === name)
    const shares = (autoscaler.spec?.metrics ?? [])
      .filter(({ resource }) => resource?.target.type === 'Utilization')
      .map(({ resource }) => resource!.name)
    return shares.flatMap(share =>
      (target?.containers ?? [])
        .filter(({ resources }) => quantityOf(resources?.requests?.[share]) === undefined)
        .map(container => ({
          object: titleOf(autoscaler),
          what: `counts in shares of ${share}, of which container ${container.name} requests none`,
          remedy: `set resources.requests.${share} there`,
        })),
    )
  })
}
