import type { IService } from 'kubernetes-models/v1/Service'
import type { Finding } from '../finding.ts'
import { named } from '../kube-object.ts'
import { hasElsewhere, hasPeer, hasPort, type NetworkRule, networkRulesOf } from '../network-rules.ts'
import { DNS_PORT, type Way, waysOf } from '../network-ways.ts'
import type { Rendering } from '../rendering.ts'
import { selects } from '../selectors.ts'
import { allContainersOf, portOf, type Workload, workloadsOf } from '../workloads.ts'

/**
 * Policies let each workload go where its variables lead: to names (DNS), to Services of ours (out of the one, into the other), and to
 * whatever is outside. Their addresses are known here, those of Secrets by their example.
 */
export function networkWays(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload => {
    const exits = networkRulesOf(workload, 'Egress', rendering.objects)
    const ways = allContainersOf(workload).flatMap(container => waysOf(container, rendering))
    const problems = ways.flatMap(way => {
      const problem = problemOf(workload, exits, way, rendering)
      return problem === undefined ? [] : [`${way.variable} leads to ${way.host}:${way.port}, ${problem}`]
    })
    if (ways.length > 0) problems.push(...dnsProblems(exits))
    return problems.map(what => ({ object: workload.title, what, remedy: 'correct the NetworkPolicy or the address' }))
  })
}

function dnsProblems(exits: readonly NetworkRule[]): string[] {
  return ['UDP', 'TCP']
    .filter(protocol => !exits.some(rule => hasPort(rule, DNS_PORT, protocol)))
    .map(protocol => `may not ask for names (${protocol} ${DNS_PORT})`)
}

function problemOf(
  from: Workload,
  exits: readonly NetworkRule[],
  { host, port, isExample }: Way,
  { objects }: Rendering,
): string | undefined {
  const service = serviceOf(host, { objects })
  if (service === undefined) {
    if (!host.includes('.') && !isExample) return 'which is no Service here'
    return exits.some(rule => hasElsewhere(rule) && hasPort(rule, port, 'TCP'))
      ? undefined
      : 'which no policy lets it reach'
  }
  const served = service.spec?.ports?.find(one => one.port === port)
  if (served === undefined) return 'which is no port of that Service'
  const targets = workloadsOf(objects).filter(({ labels }) =>
    selects({ matchLabels: service.spec?.selector ?? {} }, labels),
  )
  for (const target of targets) {
    const goal = portOf(target, served.targetPort ?? port)
    const number = goal?.containerPort ?? port
    const names = goal?.name === undefined ? [] : [goal.name]
    const leaves = exits.some(rule => hasPeer(rule, target) && hasPort(rule, number, 'TCP', names))
    if (!leaves) return 'to which no policy lets it go'
    const entries = networkRulesOf(target, 'Ingress', objects)
    if (!entries.some(rule => hasPeer(rule, from) && hasPort(rule, number, 'TCP', names))) {
      return `where no policy lets it in (${target.title})`
    }
  }
  return undefined
}

/** `redis`, `redis.chart` and `redis.chart.svc.cluster.local` are the same Service. */
function serviceOf(host: string, { objects }: Pick<Rendering, 'objects'>): IService | undefined {
  const [name, space, svc] = host.split('.')
  const service = named(objects, 'Service', name)
  const isHere = space === undefined || (space === service?.metadata?.namespace && (svc === undefined || svc === 'svc'))
  return isHere ? service : undefined
}
