import type { Finding } from './finding.ts'
import { schemaFindings } from './object-schema.ts'
import type { Rendering } from './rendering.ts'
import { RULES } from './rules.ts'

/** Findings by what found them: `schema`, or the name of a rule. */
export type Findings = ReadonlyMap<string, readonly Finding[]>

/** First what the API asks; our own rules look only at objects that it would take. */
export async function checkObjects(rendering: Rendering): Promise<Findings> {
  const schema = (await Promise.all(rendering.objects.map(schemaFindings))).flat()
  if (schema.length > 0) return new Map([['schema', schema]])
  return new Map(
    Object.entries(RULES)
      .map(([name, rule]) => [name, rule(rendering)] as const)
      .filter(([, findings]) => findings.length > 0),
  )
}
