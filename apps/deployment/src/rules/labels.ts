import type { Finding } from '../finding.ts'
import { type KubeObject, ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'
import { selects } from '../selectors.ts'
import { type Labels, type Workload, workloadsOf } from '../workloads.ts'

const PREFIX = 'app.kubernetes.io'
const PART_OF = 'chart'
/** Who owns an object: Terraform's modules take their share by it. */
const COMPONENTS = ['service', 'data-store', 'policy', 'monitoring']

/**
 * Labels by which tools and people find what belongs together, on every object and pod. A selector can never be changed, so it holds nothing
 * that changes: no version.
 */
export function labels({ objects }: Rendering): Finding[] {
  return [
    ...objects.flatMap(object => labelFindings(titleOf(object), object.metadata?.labels ?? {})),
    ...workloadsOf(objects).flatMap(workload => [
      ...labelFindings(`${workload.title}, its pods`, workload.labels),
      ...versionFindings(workload),
      ...selectorFindings(workload),
    ]),
    ...ofKind(objects, 'Service').flatMap(service => unstable(titleOf(service), service.spec?.selector ?? {})),
    ...exitFindings(objects),
  ]
}

/** Monitoring is left out where there is no Prometheus operator; a way out that an app needs must not go with it. */
function exitFindings(objects: readonly KubeObject[]): Finding[] {
  return ofKind(objects, 'NetworkPolicy')
    .filter(({ spec }) => spec?.policyTypes?.includes('Egress'))
    .filter(({ metadata }) => metadata?.labels?.[`${PREFIX}/component`] === 'monitoring')
    .map(policy => ({
      object: titleOf(policy),
      what: 'is a way out, and monitoring',
      remedy: 'let its component be policy',
    }))
}

function labelFindings(object: string, given: Labels): Finding[] {
  const remedy = `set it, see the labels of any other object`
  const findings: Finding[] = []
  if (!given[`${PREFIX}/name`]) findings.push({ object, what: `has no label ${PREFIX}/name`, remedy })
  const partOf = given[`${PREFIX}/part-of`]
  if (partOf !== PART_OF)
    findings.push({ object, what: `has the label ${PREFIX}/part-of: ${partOf}`, remedy: `set ${PART_OF}` })
  const component = given[`${PREFIX}/component`]
  if (!COMPONENTS.includes(component ?? '')) {
    const what = `has the label ${PREFIX}/component: ${component}`
    findings.push({ object, what, remedy: `set one of ${COMPONENTS.join(', ')}` })
  }
  return findings
}

/** Of what is released here; data stores have the versions of their images. */
function versionFindings({ title, labels: given }: Workload): Finding[] {
  if (given[`${PREFIX}/version`] || given[`${PREFIX}/component`] !== 'service') return []
  return [
    { object: `${title}, its pods`, what: `have no label ${PREFIX}/version`, remedy: 'set the version that runs' },
  ]
}

function selectorFindings({ title, selector, labels: given }: Workload): Finding[] {
  if (selector === undefined) return []
  const findings = unstable(title, selector)
  if (!selects({ matchLabels: selector }, given)) {
    findings.push({ object: title, what: 'its selector does not match its own pods', remedy: 'make them agree' })
  }
  return findings
}

/** Of these a selector may be made. */
const STABLE = ['name', 'part-of', 'instance', 'component'].map(name => `${PREFIX}/${name}`)

function unstable(object: string, selector: Labels): Finding[] {
  return Object.keys(selector)
    .filter(name => !STABLE.includes(name))
    .map(name => ({ object, what: `selects by ${name}`, remedy: `select by ${PREFIX}/name and part-of alone` }))
}
