import type { Finding } from './finding.ts'
import { titleOf } from './kube-object.ts'
import { LookedAtFields } from './looked-at-fields.ts'

/** What the models export: a class for each kind, whose method throws. */
type Model = { readonly prototype: { validate(): void } }
type Models = Readonly<Record<string, unknown>>

/** The API versions that the service may use, and where their schemas come from. */
const MODELS: Readonly<Record<string, () => Promise<Models>>> = {
  v1: () => import('kubernetes-models/v1'),
  'apps/v1': () => import('kubernetes-models/apps/v1'),
  'autoscaling/v2': () => import('kubernetes-models/autoscaling/v2'),
  'batch/v1': () => import('kubernetes-models/batch/v1'),
  'keda.sh/v1alpha1': () => import('@kubernetes-models/keda/keda.sh/v1alpha1'),
  'monitoring.coreos.com/v1': () => import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'),
  'networking.k8s.io/v1': () => import('kubernetes-models/networking.k8s.io/v1'),
  'policy/v1': () => import('kubernetes-models/policy/v1'),
  'scheduling.k8s.io/v1': () => import('kubernetes-models/scheduling.k8s.io/v1'),
}

/** Fields that the API has and the models lack; what stands in them is not looked at. */
const BEYOND_THE_MODELS: Readonly<Record<string, string>> = {
  // The models' compiler takes it for a remark of the schema.
  PriorityClass: 'description',
}

interface Nameable {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata?: { readonly name?: string; readonly generateName?: string }
}

/** What the API would refuse under `--validate=strict`: kinds and fields that it does not have, values of another type, missing fields. */
export async function schemaFindings(object: Nameable): Promise<Finding[]> {
  const title = titleOf(object as Parameters<typeof titleOf>[0])
  const models = await MODELS[object.apiVersion]?.()
  const model = models?.[object.kind] as Model | undefined
  if (model === undefined) {
    const what = `there is no ${object.kind} in ${object.apiVersion}`
    return [{ object: title, what, remedy: `use a kind of ${Object.keys(MODELS).join(', ')}` }]
  }
  const fields = new LookedAtFields()
  const findings: Finding[] = []
  try {
    model.prototype.validate.call(fields.watch(object))
  } catch (error) {
    const what = (error as Error).message.replaceAll('data/', '').replaceAll('/', '.')
    findings.push({ object: title, what, remedy: `see kubectl explain ${object.kind.toLowerCase()}` })
  }
  for (const path of fields.passedOver(object)) {
    if (path === BEYOND_THE_MODELS[object.kind]) continue
    findings.push({ object: title, what: `there is no field ${path}`, remedy: 'correct its name or place' })
  }
  if ((object.metadata?.name ?? object.metadata?.generateName) === undefined) {
    findings.push({ object: title, what: 'metadata.name is missing', remedy: 'name it' })
  }
  return findings
}
