import type { IContainer } from 'kubernetes-models/v1/Container'
import { environmentOf } from '../environment.ts'
import type { Finding } from '../finding.ts'
import { programOf } from '../program-of.ts'
import type { Rendering } from '../rendering.ts'
import { allContainersOf, appOf, placeOf, type Workload, workloadsOf } from '../workloads.ts'

/** Defaults of these lead to the machine itself, where in a cluster nothing listens. */
const ADDRESSES = ['REDIS_URL', 'DATABASE_URL', 'CHART_ADDRESS']

/** Each program starts with the values that it is given: its own config reads them here as it will there. */
export function variableValues(rendering: Rendering): Finding[] {
  return workloadsOf(rendering.objects).flatMap(workload =>
    allContainersOf(workload).flatMap(container =>
      problemsOf(workload, container, rendering).map(what => ({
        object: placeOf(workload, container),
        what,
        remedy: 'correct its ConfigMap, Secret or env',
      })),
    ),
  )
}

function problemsOf({ labels }: Workload, container: IContainer, rendering: Rendering): string[] {
  const program = programOf(container, rendering)
  if (program === undefined) {
    const isOurs = appOf(container) !== undefined || labels['app.kubernetes.io/component'] === 'service'
    return isOurs ? [`runs ${container.args?.join(' ')} of ${container.image}, of which no config is known`] : []
  }
  const env = environmentOf(container, rendering)
  const missing = ADDRESSES.filter(name => program.variables.has(name) && !env.has(name))
  const values = [...env].map(([name, { value }]) => [name, value && withoutFiles(value)])
  try {
    program.readConfig(Object.fromEntries(values))
    return missing.map(name => `is not given ${name}`)
  } catch (error) {
    return [...missing.map(name => `is not given ${name}`), (error as Error).message]
  }
}

/** Addresses of Redis name files of certificates, which are read with them, and are in the cluster only. */
function withoutFiles(value: string): string {
  return /^rediss/.test(value) ? value.replace(/\?.*$/, '') : value
}
