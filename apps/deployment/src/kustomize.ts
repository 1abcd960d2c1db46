import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { runCommand } from './run-command.ts'

/** There is no kubectl on this machine. */
export class NoKubectlError extends Error {
  override name = 'NoKubectlError'

  constructor() {
    super('kubectl is not on the PATH; it renders k8s/ (any version from 1.31 on)')
  }
}

/** A folder that cannot be rendered. */
export class RenderError extends Error {
  override name = 'RenderError'
}

/**
 * The objects of a folder as YAML.
 * @throws NoKubectlError, or RenderError with what Kustomize said
 */
export async function renderFolder(folder: string): Promise<string> {
  const outcome = await runCommand('kubectl', ['kustomize', folder])
  if (outcome === undefined) throw new NoKubectlError()
  if (outcome.status === 0) return outcome.stdout
  throw new RenderError(outcome.stderr.trim() || `kubectl ended with status ${outcome.status}`)
}

/** The same for an overlay with one more component, as an operator would add it in an overlay of their own. */
export async function renderWith(overlay: string, component: string): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'chart-overlay-')))
  try {
    // Kustomize takes other folders by relative path only.
    const lines = [
      'apiVersion: kustomize.config.k8s.io/v1beta1',
      'kind: Kustomization',
      `resources: [${JSON.stringify(relative(folder, overlay))}]`,
      `components: [${JSON.stringify(relative(folder, component))}]`,
    ]
    await writeFile(join(folder, 'kustomization.yaml'), `${lines.join('\n')}\n`)
    return await renderFolder(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
