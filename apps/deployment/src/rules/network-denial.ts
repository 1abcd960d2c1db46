import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import { type Direction, rulesOf } from '../network-rules.ts'
import type { Rendering } from '../rendering.ts'
import { isEmptySelector, type Selector, selects } from '../selectors.ts'
import { workloadsOf } from '../workloads.ts'

const DIRECTIONS: readonly Direction[] = ['Ingress', 'Egress']

/** Nothing goes in or out of any pod but what a policy names, and no policy names everything. */
export function networkDenial({ objects }: Rendering): Finding[] {
  const policies = ofKind(objects, 'NetworkPolicy')
  const deniesAll = (direction: Direction) =>
    policies.some(
      policy =>
        isEmptySelector((policy.spec?.podSelector ?? {}) as Selector) &&
        policy.spec?.policyTypes?.includes(direction) &&
        rulesOf(policy, direction).length === 0,
    )
  const open = DIRECTIONS.filter(direction => !deniesAll(direction)).map(direction => ({
    object: 'NetworkPolicy',
    what: `none denies ${direction} by default`,
    remedy: 'add one with an empty podSelector, both policyTypes and no rules',
  }))
  const unnamed = workloadsOf(objects)
    .filter(({ labels }) => !policies.some(({ spec }) => spec && selectsSome(spec.podSelector as Selector, labels)))
    .map(({ title }) => ({
      object: title,
      what: 'has no NetworkPolicy of its own',
      remedy: 'add one with what it needs',
    }))
  const wide = policies.flatMap(policy =>
    DIRECTIONS.filter(direction => rulesOf(policy, direction).some(({ peers, ports }) => !peers && !ports)).map(
      direction => ({
        object: titleOf(policy),
        what: `lets every ${direction} through`,
        remedy: 'name peers or ports',
      }),
    ),
  )
  return [...open, ...unnamed, ...wide]
}

function selectsSome(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return !isEmptySelector(selector) && selects(selector, labels)
}
