import { checkObjects } from './check-objects.ts'
import type { KubernetesConfig } from './config.ts'
import type { Finding } from './finding.ts'
import type { KubeObject } from './kube-object.ts'
import { NoKubectlError } from './kustomize.ts'
import { metricNames } from './metric-names.ts'
import { schemaFindings } from './object-schema.ts'
import { outsideChecks } from './outside-checks.ts'
import { findOverlays, type Overlay } from './overlays.ts'
import type { Places } from './places.ts'
import { openPrograms } from './programs.ts'
import { readObjects } from './read-objects.ts'
import { FindingsReport } from './report.ts'
import { recordedIn } from './rules/known-metrics.ts'
import { RULES } from './rules.ts'
import { contractFindings, readSecretsContract } from './secrets-contract.ts'
import { committedVariants, operationVariants, renderVariants, type Variant } from './variants.ts'

/**
 * Every overlay, alone and with each component, rendered, compared with what is committed, held to the API's schemas and to our own rules,
 * and shown to whatever else on this machine can judge it.
 * @returns how much was found
 */
export async function checkKubernetes(
  places: Places,
  config: KubernetesConfig,
  say: (line: string) => void,
): Promise<number> {
  const overlays = await findOverlays(places)
  const { variants, skipped } = await variantsOf(overlays, places)
  const local = variants.find(({ title }) => title === 'local')?.yaml
  const operations = local === undefined ? [] : await operationVariants(places, local)
  const read = [...variants, ...operations].map(readVariant)
  const all = read.flatMap(({ objects }) => objects)
  const secrets = await readSecretsContract(places)
  const promised = { secrets, programs: openPrograms(), metrics: new Set([...metricNames(), ...recordedIn(all)]) }
  const report = new FindingsReport(say)
  const contract = [...(await Promise.all(secrets.map(schemaFindings))).flat(), ...contractFindings(secrets, all)]
  report.add('secrets.example.yaml', secrets.length, new Map([['contract', contract]]))
  for (const { title, objects, findings } of read) {
    const found = new Map(await checkObjects({ objects, ...promised }))
    found.set('rendering', findings)
    if (overlays.some(({ name }) => name === title)) {
      for (const outside of await outsideChecks([...objects, ...secrets], config)) {
        if (outside.skipped !== undefined) skipped.add(`${outside.name} was not asked: ${outside.skipped}`)
        found.set(outside.name, outside.findings)
      }
    }
    report.add(title, objects.length, found)
  }
  for (const line of skipped) say(line)
  const result = report.count === 0 ? 'nothing found' : `${report.count} findings`
  say(`${read.length} renderings, ${Object.keys(RULES).length} rules each: ${result}`)
  return report.count
}

interface Variants {
  readonly variants: readonly Variant[]
  /** What was left out, and why. */
  readonly skipped: Set<string>
}

async function variantsOf(overlays: readonly Overlay[], places: Places): Promise<Variants> {
  const ofAll = async (make: (overlay: Overlay, places: Places) => Promise<Variant[]>) =>
    (await Promise.all(overlays.map(overlay => make(overlay, places)))).flat()
  try {
    return { variants: await ofAll(renderVariants), skipped: new Set() }
  } catch (error) {
    if (!(error instanceof NoKubectlError)) throw error
    const left = 'what is committed in k8s/rendered was checked, without its components, and not compared with k8s/'
    return { variants: await ofAll(committedVariants), skipped: new Set([`${error.message}: ${left}`]) }
  }
}

/** YAML that cannot be read is a finding, and nothing else can be said of it. */
function readVariant({ title, yaml, findings }: Variant) {
  const none: readonly KubeObject[] = []
  if (yaml === undefined) return { title, findings, objects: none }
  try {
    return { title, findings, objects: readObjects(yaml, title) }
  } catch (error) {
    const unreadable: Finding = { object: title, what: (error as Error).message, remedy: 'correct the YAML' }
    return { title, findings: [...findings, unreadable], objects: none }
  }
}
