import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Finding } from './finding.ts'
import { NoKubectlError, RenderError, renderFolder, renderWith } from './kustomize.ts'
import type { Overlay } from './overlays.ts'
import type { Places } from './places.ts'
import { readRendered, renderedTextOf, staleFindings } from './rendered-file.ts'

/** YAML that an operator may come to apply: an overlay as it is, or with one component more. */
export interface Variant {
  /** `production`, `production + keda`. */
  readonly title: string
  /** Undefined when it could not be rendered; `findings` say why. */
  readonly yaml: string | undefined
  readonly findings: readonly Finding[]
}

/** @throws NoKubectlError */
export async function renderVariants({ name, folder, optional }: Overlay, places: Places): Promise<Variant[]> {
  const plain = await variantOf(name, () => renderFolder(folder))
  const others = optional.map(component =>
    variantOf(`${name} + ${basename(component)}`, () => renderWith(folder, component)),
  )
  const findings =
    plain.yaml === undefined
      ? plain.findings
      : staleFindings(name, await readRendered(name, places), renderedTextOf(name, plain.yaml))
  return [{ ...plain, findings }, ...(await Promise.all(others))]
}

/** Manifests that are made by hand, each with the overlay that it is made in. @param local YAML of the local overlay */
export async function operationVariants(places: Places, local: string): Promise<Variant[]> {
  const files = (await readdir(places.operations)).filter(file => file.endsWith('.yaml')).sort()
  return Promise.all(
    files.map(async file => {
      const yaml = await readFile(join(places.operations, file), 'utf8')
      return { title: `local + operations/${file}`, yaml: `${local}\n---\n${yaml}`, findings: [] }
    }),
  )
}

/** What is committed, for a machine that cannot render. */
export async function committedVariants({ name }: Overlay, places: Places): Promise<Variant[]> {
  const yaml = await readRendered(name, places)
  const object = `k8s/rendered/${name}.yaml`
  const missing = { object, what: 'is not there', remedy: 'run "npm run render" where there is kubectl' }
  return [{ title: name, yaml, findings: yaml === undefined ? [missing] : [] }]
}

async function variantOf(title: string, render: () => Promise<string>): Promise<Variant> {
  try {
    return { title, yaml: await render(), findings: [] }
  } catch (error) {
    if (error instanceof NoKubectlError || !(error instanceof RenderError)) throw error
    const what = `cannot be rendered: ${error.message}`
    return { title, yaml: undefined, findings: [{ object: title, what, remedy: 'correct its kustomization.yaml' }] }
  }
}
