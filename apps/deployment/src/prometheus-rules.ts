import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IPrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { parse, stringify } from 'yaml'
import { ofKind } from './kube-object.ts'
import type { Places } from './places.ts'
import { readObjects } from './read-objects.ts'

export type RuleGroup = NonNullable<NonNullable<IPrometheusRule['spec']>['groups']>[number]
export type PrometheusRule = NonNullable<RuleGroup['rules']>[number]

/** Folder of the component, in it that of its tests. */
export function observabilityFolder({ components }: Places): string {
  return join(components, 'observability')
}

/** Groups of recording and alert rules, in the order in which the component names their files. */
export async function readRuleGroups(places: Places): Promise<RuleGroup[]> {
  const folder = observabilityFolder(places)
  const component = parse(await readFile(join(folder, 'kustomization.yaml'), 'utf8')) as { resources: string[] }
  const files = await Promise.all(
    component.resources.map(async file => readObjects(await readFile(join(folder, file), 'utf8'), file)),
  )
  return ofKind(files.flat(), 'PrometheusRule').flatMap(({ spec }) => spec?.groups ?? [])
}

/** What a Prometheus without the operator reads, as one of its `rule_files`. */
export function ruleFileOf(groups: readonly RuleGroup[]): string {
  return stringify({ groups }, { lineWidth: 0 })
}

/** Those that have an alert's name. */
export function alertsIn(groups: readonly RuleGroup[]): (PrometheusRule & { alert: string })[] {
  return groups.flatMap(({ rules = [] }) => rules.flatMap(rule => (rule.alert ? [{ ...rule, alert: rule.alert }] : [])))
}
