import type { IContainer } from 'kubernetes-models/v1/Container'
import { environmentOf, type Variable } from '../environment.ts'
import type { Finding } from '../finding.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, appOf, placeOf, workloadsOf } from '../workloads.ts'

/** Variable that says where edges are; who has it calls them. */
const ADDRESS = 'CHART_ADDRESS'

type Variables = ReadonlyMap<string, Variable>

/**
 * Who calls the edges does so as they listen: with TLS where they have a certificate, with a key where they ask for one, and with the key in
 * plain text only where that was said to be meant. Otherwise it would start, or not even that, and have no history.
 */
export function edgeCalls(rendering: Rendering): Finding[] {
  const containers = workloadsOf(rendering.objects).flatMap(workload =>
    allContainersOf(workload).map(container => ({ container, object: placeOf(workload, container) })),
  )
  const variablesOf = (container: IContainer) => environmentOf(container, rendering)
  const edge = containers.find(({ container }) => appOf(container) === 'edge')
  if (edge === undefined) return []
  const listening = variablesOf(edge.container)
  return containers.flatMap(({ container, object }) => {
    const calling = variablesOf(container)
    return calling.has(ADDRESS) ? problemsOf(calling, listening).map(problem => ({ object, ...problem })) : []
  })
}

function problemsOf(calling: Variables, listening: Variables): Omit<Finding, 'object'>[] {
  const problems: Omit<Finding, 'object'>[] = []
  const listensByTls = listening.has('GRPC_TLS_CERT_FILE')
  const callsByTls = calling.get('CHART_TLS')?.value === 'on'
  const hasKey = calling.has('CHART_API_KEY')
  if (listensByTls && !callsByTls) {
    problems.push({ what: 'calls edges in plain text, which speak TLS', remedy: 'set CHART_TLS=on' })
  }
  if (!listensByTls && callsByTls) {
    problems.push({ what: 'calls edges by TLS, which speak plain text', remedy: 'add the component edge-tls' })
  }
  if (!callsByTls && hasKey && calling.get('CHART_KEY_IN_PLAIN_TEXT')?.value !== 'allow') {
    const remedy =
      'add the component edge-tls, or set CHART_KEY_IN_PLAIN_TEXT=allow where nobody else reads the network'
    problems.push({ what: 'does not send its key in plain text, and calls no other way', remedy })
  }
  if (listening.get('AUTH')?.value === 'on' && !hasKey) {
    problems.push({ what: 'has no key for edges that ask for one', remedy: 'give it CHART_API_KEY by its Secret' })
  }
  return problems
}
