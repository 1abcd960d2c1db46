import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Finding } from './finding.ts'
import { titleOf } from './kube-object.ts'
import type { Places } from './places.ts'
import { readObjects } from './read-objects.ts'

/** Lines that a comparison shows. */
const SHOWN_LINES_MAX = 6

/** Where the rendering of an overlay is kept, in the repository and for Terraform. */
export function renderedFileOf(overlay: string, places: Places): string {
  return join(places.rendered, `${overlay}.yaml`)
}

export function renderedTextOf(overlay: string, yaml: string): string {
  return `# Made of k8s/overlays/${overlay} by "npm run render"; not to be edited.\n${yaml}`
}

/** Undefined when it was never made. */
export async function readRendered(overlay: string, places: Places): Promise<string | undefined> {
  try {
    return await readFile(renderedFileOf(overlay, places), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether what is committed is what would be rendered now. The same objects laid out otherwise, by another kubectl, are the same. */
export function staleFindings(overlay: string, committed: string | undefined, fresh: string): Finding[] {
  const object = `k8s/rendered/${overlay}.yaml`
  const remedy = 'run "npm run render" and commit what it changes'
  if (committed === undefined) return [{ object, what: 'is not there', remedy }]
  if (committed === fresh || hasSameObjects(committed, fresh)) return []
  return [{ object, what: `is not what k8s/overlays/${overlay} gives now\n${differenceOf(committed, fresh)}`, remedy }]
}

function hasSameObjects(committed: string, fresh: string): boolean {
  const sorted = (text: string) =>
    readObjects(text, 'k8s/rendered').sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
  return isDeepStrictEqual(sorted(committed), sorted(fresh))
}

function keyOf(object: Parameters<typeof titleOf>[0] & { readonly apiVersion: string }): string {
  return `${object.apiVersion} ${object.metadata?.namespace} ${titleOf(object)}`
}

/** The lines at the first place where they differ. */
function differenceOf(committed: string, fresh: string): string {
  const [old, now] = [committed.split('\n'), fresh.split('\n')]
  const first = old.findIndex((line, index) => line !== now[index])
  const at = first < 0 ? old.length : first
  const shown = (sign: string, lines: string[]) =>
    lines.slice(at, at + SHOWN_LINES_MAX).map(line => `    ${sign} ${line}`)
  return [`    line ${at + 1}:`, ...shown('-', old), ...shown('+', now)].join('\n')
}
