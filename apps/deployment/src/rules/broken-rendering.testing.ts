import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { changed } from '../changed.testing.ts'
import { textOfFinding } from '../finding.ts'
import { type KubeObject, titleOf } from '../kube-object.ts'
import { metricNames } from '../metric-names.ts'
import { PLACES } from '../places.ts'
import { openPrograms } from '../programs.ts'
import { readObjects } from '../read-objects.ts'
import { renderedFileOf } from '../rendered-file.ts'
import type { Rendering } from '../rendering.ts'
import { RULES } from '../rules.ts'
import { readSecretsContract } from '../secrets-contract.ts'
import { recordedIn } from './known-metrics.ts'

/** What is committed: `local` has the data stores and a job that repeats, `production` TLS, metrics and alerts. */
const read = (overlay: 'local' | 'production') =>
  readObjects(readFileSync(renderedFileOf(overlay, PLACES), 'utf8'), overlay)
const objects = { local: read('local'), production: read('production') }
const secrets = await readSecretsContract(PLACES)
const programs = openPrograms()
const metrics = new Set([...metricNames(), ...recordedIn(objects.production)])

type Overlay = keyof typeof objects

/** The object, a place in it, what stands there now, and what the rule must say of it. */
type Case = readonly [title: string, path: string | readonly string[], value: unknown, says: string]

/**
 * Declares tests: what is committed keeps the rule, and each of these changes breaks it.
 *
 * Objects are named by their title or, where the name ends in a hash, by the beginning of it. The path is as in `changed`; an empty one
 * is the object itself, which goes for undefined and otherwise gets another one beside it.
 */
export function breaks(name: string, cases: readonly Case[], overlay: Overlay = 'local'): void {
  const rule = RULES[name]!
  const rendering: Rendering = { objects: objects[overlay], secrets, programs, metrics }

  test(`${name}: ${overlay} keeps it`, () => {
    expect(rule(rendering)).toEqual([])
  })

  test.each(cases)(`${name}, ${overlay}: %s, %s = %j`, (title, path, value, says) => {
    const findings = rule({ ...rendering, objects: brokenObjects(rendering.objects, title, path, value) })
    expect(findings.map(textOfFinding).join('\n')).toContain(says)
  })
}

function brokenObjects(all: readonly KubeObject[], title: string, path: Case[1], value: unknown): KubeObject[] {
  const broken = all.find(object => titleOf(object) === title || titleOf(object).startsWith(`${title}-`))
  if (broken === undefined) throw new Error(`k8s/rendered has no ${title}`)
  const others = all.filter(object => object !== broken)
  if (path !== '') return [...others, changed(broken, path, value)]
  return value === undefined ? others : [...others, broken, value as KubeObject]
}
