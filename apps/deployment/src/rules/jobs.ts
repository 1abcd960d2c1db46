import type { IJobSpec } from 'kubernetes-models/batch/v1/JobSpec'
import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'

/** What runs to an end has a bound on how long and how often it tries, and what is repeated does not overtake itself. */
export function jobs({ objects }: Rendering): Finding[] {
  const repeated = ofKind(objects, 'CronJob').flatMap(job => {
    const object = titleOf(job)
    const { spec } = job
    const findings = boundFindings(object, spec?.jobTemplate.spec)
    if (spec?.concurrencyPolicy !== 'Forbid' && spec?.concurrencyPolicy !== 'Replace') {
      findings.push({ object, what: 'may run twice at a time', remedy: 'set concurrencyPolicy: Forbid' })
    }
    if (spec?.startingDeadlineSeconds === undefined) {
      const remedy = 'set startingDeadlineSeconds: after a hundred missed times without it, it is never started again'
      findings.push({ object, what: 'does not say how late it may start', remedy })
    }
    return findings
  })
  const single = ofKind(objects, 'Job').flatMap(job => {
    const object = titleOf(job)
    const findings = boundFindings(object, job.spec)
    // One that is made by hand gets another name each time, and may go by itself.
    const isApplied = job.metadata?.name !== undefined
    if (isApplied && job.spec?.ttlSecondsAfterFinished !== undefined) {
      const remedy = 'remove ttlSecondsAfterFinished: whoever applies it again would find it gone, and run it again'
      findings.push({ object, what: 'removes itself', remedy })
    }
    return findings
  })
  return [...repeated, ...single]
}

function boundFindings(object: string, spec: IJobSpec | undefined): Finding[] {
  const findings: Finding[] = []
  if (spec?.backoffLimit === undefined) findings.push({ object, what: 'has no backoffLimit', remedy: 'set it' })
  if (spec?.activeDeadlineSeconds === undefined) {
    findings.push({ object, what: 'may run for ever', remedy: 'set activeDeadlineSeconds' })
  }
  if (!['Never', 'OnFailure'].includes(spec?.template.spec?.restartPolicy ?? '')) {
    findings.push({ object, what: 'has no restartPolicy of a job', remedy: 'set restartPolicy: Never or OnFailure' })
  }
  return findings
}
