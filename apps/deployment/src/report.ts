import type { Findings } from './check-objects.ts'
import { textOfFinding } from './finding.ts'

/** Says what was found in one rendering after the other, and counts. What an overlay has is not repeated for each of its components. */
export class FindingsReport {
  readonly #say: (line: string) => void
  readonly #told = new Set<string>()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** How much was found so far. */
  get count(): number {
    return this.#told.size
  }

  add(title: string, objectCount: number, findings: Findings): void {
    this.#say(`${title}: ${objectCount} objects`)
    for (const [name, found] of findings) {
      const lines = found.map(textOfFinding).filter(line => !this.#told.has(`${name} ${line}`))
      if (lines.length === 0) continue
      this.#say(`  ${name}`)
      for (const line of new Set(lines)) {
        this.#told.add(`${name} ${line}`)
        this.#say(`    ${line}`)
      }
    }
  }
}
