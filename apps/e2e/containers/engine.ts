import { describe } from 'vitest'
import { whyNoEngine } from '../src/docker.ts'

const reason = await whyNoEngine()

/** Tests that need a container engine. Where none answers they are skipped, and the title says why. */
export function describeContainers(title: string, tests: () => void): void {
  if (reason === undefined) describe(title, tests)
  else describe.skip(`${title}: SKIPPED, ${reason}`, tests)
}
