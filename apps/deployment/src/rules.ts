import type { Rule } from './rendering.ts'
import { autoscaling } from './rules/autoscaling.ts'
import { disruptionBudgets } from './rules/disruption-budgets.ts'
import { edgeCalls } from './rules/edge-calls.ts'
import { images } from './rules/images.ts'
import { jobs } from './rules/jobs.ts'
import { knownMetrics } from './rules/known-metrics.ts'
import { labels } from './rules/labels.ts'
import { monitors } from './rules/monitors.ts'
import { mounts } from './rules/mounts.ts'
import { networkDenial } from './rules/network-denial.ts'
import { networkExcess } from './rules/network-excess.ts'
import { networkPorts } from './rules/network-ports.ts'
import { networkWays } from './rules/network-ways.ts'
import { noSecrets } from './rules/no-secrets.ts'
import { nodeHeap } from './rules/node-heap.ts'
import { podSecurity } from './rules/pod-security.ts'
import { priorities } from './rules/priorities.ts'
import { probes } from './rules/probes.ts'
import { references } from './rules/references.ts'
import { resources } from './rules/resources.ts'
import { rollouts } from './rules/rollouts.ts'
import { serviceAccounts } from './rules/service-accounts.ts'
import { services } from './rules/services.ts'
import { stopping } from './rules/stopping.ts'
import { topologySpread } from './rules/topology-spread.ts'
import { uniqueNames } from './rules/unique-names.ts'
import { variableNames } from './rules/variable-names.ts'
import { variableValues } from './rules/variable-values.ts'
import { writtenDefaults } from './rules/written-defaults.ts'

/** What we ask of every rendering, beyond what the API asks. */
export const RULES: Readonly<Record<string, Rule>> = {
  probes,
  podSecurity,
  resources,
  nodeHeap,
  stopping,
  disruptionBudgets,
  autoscaling,
  topologySpread,
  priorities,
  knownMetrics,
  monitors,
  variableNames,
  variableValues,
  references,
  mounts,
  writtenDefaults,
  rollouts,
  noSecrets,
  images,
  labels,
  uniqueNames,
  serviceAccounts,
  networkDenial,
  networkPorts,
  networkWays,
  networkExcess,
  edgeCalls,
  services,
  jobs,
}
