import type { Finding } from '../finding.ts'
import { named, ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { workloadsOf } from '../workloads.ts'

/** Nothing here talks to the API server: each pod has an account of its own, which may do nothing, and no token of it. */
export function serviceAccounts({ objects }: Rendering): Finding[] {
  const accounts = ofKind(objects, 'ServiceAccount')
    .filter(({ automountServiceAccountToken }) => automountServiceAccountToken !== false)
    .map(account => ({
      object: titleOf(account),
      what: 'hands out its token',
      remedy: 'set automountServiceAccountToken: false',
    }))
  const pods = workloadsOf(objects).flatMap(({ title, pod }) => {
    const findings: Finding[] = []
    if (pod.serviceAccountName === undefined || pod.serviceAccountName === 'default') {
      findings.push({
        object: title,
        what: 'shares the account "default"',
        remedy: 'set serviceAccountName to one of its own',
      })
    }
    const account = named(objects, 'ServiceAccount', pod.serviceAccountName)
    if ((pod.automountServiceAccountToken ?? account?.automountServiceAccountToken) !== false) {
      findings.push({ object: title, what: 'is given a token', remedy: 'set automountServiceAccountToken: false' })
    }
    return findings
  })
  return [...accounts, ...pods]
}
