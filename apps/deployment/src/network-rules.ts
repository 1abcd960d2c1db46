import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer'
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort'
import { type KubeObject, ofKind } from './kube-object.ts'
import { type Selector, selects } from './selectors.ts'
import type { Workload } from './workloads.ts'

export type Direction = 'Ingress' | 'Egress'

/** One rule of a policy, the same for both directions. */
export interface NetworkRule {
  /** Undefined: everybody. */
  readonly peers: readonly INetworkPolicyPeer[] | undefined
  /** Undefined: all. */
  readonly ports: readonly INetworkPolicyPort[] | undefined
}

/** What policies let through to or from the pods of a workload. */
export function networkRulesOf(
  workload: Workload,
  direction: Direction,
  objects: readonly KubeObject[],
): NetworkRule[] {
  return ofKind(objects, 'NetworkPolicy')
    .filter(({ spec }) => selects(spec?.podSelector as Selector, workload.labels))
    .flatMap(policy => rulesOf(policy, direction))
}

export function rulesOf({ spec }: INetworkPolicy, direction: Direction): NetworkRule[] {
  return direction === 'Ingress'
    ? (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
    : (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
}

/** @param names other names of the same port */
export function hasPort(
  { ports }: NetworkRule,
  port: number,
  protocol: string,
  names: readonly string[] = [],
): boolean {
  if (ports === undefined) return true
  return ports.some(rule => {
    if ((rule.protocol ?? 'TCP') !== protocol) return false
    if (rule.port === undefined) return true
    if (typeof rule.port === 'string') return names.includes(rule.port)
    return rule.port <= port && port <= (rule.endPort ?? rule.port)
  })
}

/** Whether pods of the same namespace with these labels are among those that a rule names. */
export function hasPeer({ peers }: NetworkRule, { labels }: Workload): boolean {
  if (peers === undefined) return true
  return peers.some(
    ({ podSelector, namespaceSelector }) => namespaceSelector === undefined && selects(podSelector, labels),
  )
}

/** Whether a rule names anything that is not in the same namespace: addresses, or other namespaces. */
export function hasElsewhere({ peers }: NetworkRule): boolean {
  return peers === undefined || peers.some(peer => peer.ipBlock !== undefined || peer.namespaceSelector !== undefined)
}
