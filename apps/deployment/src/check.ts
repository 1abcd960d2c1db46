import { checkObjects, type Findings } from './check-objects.ts'
import { readConfig } from './config.ts'
import { textOfFinding } from './finding.ts'
import { NoKubectlError } from './kustomize.ts'
import { metricNames } from './metric-names.ts'
import { outsideChecks } from './outside-checks.ts'
import { findOverlays, type Overlay } from './overlays.ts'
import { openPrograms } from './programs.ts'
import { readObjects } from './read-objects.ts'
import { recordedIn } from './rules/known-metrics.ts'
import { RULES } from './rules.ts'
import { contractFindings, readSecretsContract } from './secrets-contract.ts'
import { committedVariants, renderVariants, type Variant } from './variants.ts'

/** `npm run check:k8s`: every overlay, alone and with each component, rendered, held to the API's schemas and to our own rules. */
const say = (line: string) => process.stdout.write(`${line}\n`)
const config = readConfig()
const overlays = await findOverlays()
const skipped = new Set<string>()
const variants = await variantsOf(overlays)
const read = variants.map(variant => ({
  ...variant,
  objects: variant.yaml === undefined ? [] : readObjects(variant.yaml, variant.title),
}))
const objects = read.flatMap(variant => variant.objects)
const secrets = await readSecretsContract()
const programs = openPrograms()
const metrics = new Set([...metricNames(), ...recordedIn(objects)])

let count = report('secrets.example.yaml', secrets.length, new Map([['contract', contractFindings(secrets, objects)]]))
const told = new Set<string>()
for (const { title, objects, findings } of read) {
  const found = new Map(await checkObjects({ objects, secrets, programs, metrics }))
  if (findings.length > 0) found.set('rendering', findings)
  if (overlays.some(({ name }) => name === title)) {
    for (const outside of await outsideChecks([...objects, ...secrets], config)) {
      if (outside.skipped !== undefined) skipped.add(`${outside.name} was not asked: ${outside.skipped}`)
      if (outside.findings.length > 0) found.set(outside.name, outside.findings)
    }
  }
  count += report(title, objects.length, found)
}
for (const line of skipped) say(line)
say(
  `${read.length} renderings, ${Object.keys(RULES).length} rules each, ${count === 0 ? 'nothing found' : `${count} findings`}`,
)
if (count > 0) process.exitCode = 1

async function variantsOf(overlays: readonly Overlay[]): Promise<Variant[]> {
  try {
    return (await Promise.all(overlays.map(renderVariants))).flat()
  } catch (error) {
    if (!(error instanceof NoKubectlError)) throw error
    skipped.add(`${error.message}: what is committed in k8s/rendered was checked, and not compared with k8s/`)
    return (await Promise.all(overlays.map(committedVariants))).flat()
  }
}

/** Says what was not said before: what an overlay has is not repeated for each of its components. */
function report(title: string, objectCount: number, findings: Findings): number {
  const groups = [...findings].map(([name, found]) => {
    const lines = [...new Set(found.map(textOfFinding))].filter(line => !told.has(`${name} ${line}`))
    for (const line of lines) told.add(`${name} ${line}`)
    return { name, lines }
  })
  say(`${title}: ${objectCount} objects`)
  for (const { name, lines } of groups.filter(({ lines }) => lines.length > 0)) {
    say(`  ${name}`)
    for (const line of lines) say(`    ${line}`)
  }
  return groups.reduce((sum, { lines }) => sum + lines.length, 0)
}
