import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { KubernetesConfig } from './config.ts'
import type { Finding } from './finding.ts'
import type { KubeObject } from './kube-object.ts'
import { folderWith } from './outside-packages.ts'
import { type Outcome, runCommand } from './run-command.ts'

/** What k8s-validate.mjs has its fields and types from, reads YAML with, and asks besides: a later line of that is ESM, which it cannot load. */
const VALIDATOR_PACKAGES = ['@kubernetes/client-node@2.0.1', 'js-yaml@4.1.1', 'kubernetes-models@4.5.1']

/** What others say of the same objects, or why they were not asked. */
export interface OutsideCheck {
  readonly name: string
  /** Undefined: it was asked. */
  readonly skipped: string | undefined
  readonly findings: readonly Finding[]
}

/** @param objects of one overlay, with the Secrets that it needs */
export async function outsideChecks(objects: readonly KubeObject[], config: KubernetesConfig): Promise<OutsideCheck[]> {
  // Kinds of operators are known to a machine only where the operator is.
  const core = objects.filter(({ apiVersion }) => !/^(?:keda\.sh|monitoring\.coreos\.com)\//.test(apiVersion))
  const yaml = core.map(object => JSON.stringify(object)).join('\n---\n')
  return Promise.all([validate(yaml, config), conform(yaml), dryRun(yaml, config)])
}

async function validate(yaml: string, { tools }: KubernetesConfig): Promise<OutsideCheck> {
  const name = 'k8s-validate.mjs'
  if (tools === undefined || !existsSync(join(tools, name))) {
    return { name, skipped: 'CHART_TOOLS names no folder that has it', findings: [] }
  }
  const cwd = await folderWith(VALIDATOR_PACKAGES)
  return asked(name, await runCommand(process.execPath, [join(tools, name)], yaml, { cwd }))
}

async function conform(yaml: string): Promise<OutsideCheck> {
  const name = 'kubeconform'
  const outcome = await runCommand(name, ['-strict', '-'], yaml)
  return outcome === undefined ? { name, skipped: 'it is not on the PATH', findings: [] } : asked(name, outcome)
}

async function dryRun(yaml: string, { asksCluster }: KubernetesConfig): Promise<OutsideCheck> {
  const name = 'the API server'
  if (!asksCluster) return { name, skipped: 'CHECK_CLUSTER=1 asks the cluster that kubectl points to', findings: [] }
  const args = ['apply', '--dry-run=server', '--validate=strict', '-f', '-']
  const outcome = await runCommand('kubectl', args, yaml)
  return outcome === undefined ? { name, skipped: 'kubectl is not on the PATH', findings: [] } : asked(name, outcome)
}

function asked(name: string, outcome: Outcome | undefined): OutsideCheck {
  const skipped = undefined
  if (outcome?.status === 0) return { name, skipped, findings: [] }
  const lines = `${outcome?.stderr}\n${outcome?.status === 0 ? '' : outcome?.stdout}`
    .split('\n')
    .filter(line => line.trim())
  const remedy = 'see what it says'
  return { name, skipped, findings: lines.map(what => ({ object: name, what, remedy })) }
}
