import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IProbe } from 'kubernetes-models/v1/Probe'
import type { Finding } from '../finding.ts'
import { isOfTheService } from '../program-of.ts'
import type { Rendering } from '../rendering.ts'
import { placeOf, workloadsOf } from '../workloads.ts'

/** The path that answers as long as the process runs its loop; it asks nobody else. */
const ALIVE_PATH = '/livez'

/**
 * What runs for ever is asked whether it has started, is ready, and lives. Whether an app lives must not hang on Redis, PostgreSQL or the
 * exchange: an outage of one of them would restart everything, again and again, and none of it would help.
 */
export function probes(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects)
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .flatMap(workload =>
      workload.containers.flatMap(container => {
        const object = placeOf(workload, container)
        const findings = [...presenceFindings(object, container), ...portFindings(object, container)]
        return isOfTheService(container, rendering) ? [...findings, ...lifeFindings(object, container)] : findings
      }),
    )
}

function presenceFindings(object: string, container: IContainer): Finding[] {
  return (['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
    .filter(name => container[name] === undefined)
    .map(name => ({ object, what: `has no ${name}`, remedy: 'give it one' }))
}

function lifeFindings(object: string, { livenessProbe: alive, readinessProbe: ready }: IContainer): Finding[] {
  const findings: Finding[] = []
  if (alive !== undefined && alive.httpGet?.path !== ALIVE_PATH) {
    findings.push({ object, what: 'its livenessProbe may hang on others', remedy: `let it ask httpGet ${ALIVE_PATH}` })
  }
  if (ready !== undefined && alive !== undefined && questionOf(ready) === questionOf(alive)) {
    findings.push({
      object,
      what: 'asks the same for ready and alive',
      remedy: 'let readiness ask whether it can serve',
    })
  }
  return findings
}

/** What a probe asks, without how often. */
function questionOf({ exec, grpc, httpGet, tcpSocket }: IProbe): string {
  return JSON.stringify({ exec, grpc, httpGet, tcpSocket })
}

function portFindings(
  object: string,
  { ports = [], startupProbe, readinessProbe, livenessProbe }: IContainer,
): Finding[] {
  const asked = [startupProbe, readinessProbe, livenessProbe].flatMap(
    probe => probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port ?? [],
  )
  return [...new Set(asked)]
    .filter(port => !ports.some(({ name, containerPort }) => port === name || port === containerPort))
    .map(port => ({
      object,
      what: `a probe asks port ${port}, which it does not have`,
      remedy: 'name one of its ports',
    }))
}
