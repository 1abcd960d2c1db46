import { machineOf } from './machine.ts'
import type { Report } from './report.ts'
import type { StageResult } from './result.ts'
import { runStage } from './run-stage.ts'
import type { Stage } from './stage.ts'

/**
 * The stages that `names` ("rules,feed") asks for, in their own order.
 * @throws Error naming those that there are
 */
export function chosenStages(stages: readonly Stage[], names: string): readonly Stage[] {
  const wanted = names.split(',')
  const unknown = wanted.filter(name => !stages.some(stage => stage.name === name))
  if (unknown.length > 0) {
    throw new Error(`there is no stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}`)
  }
  return stages.filter(({ name }) => wanted.includes(name))
}

/** Runs `stages` one after the other; says on stderr how far it is. */
export async function runReport(stages: readonly Stage[], rounds: number, size: number): Promise<Report> {
  const head = { machine: machineOf(), begun: new Date().toISOString(), rounds, size }
  const results: StageResult[] = []
  for (const stage of stages) {
    results.push(await runStage(stage, { rounds, size, onRun: line => process.stderr.write(`${line}\n`) }))
  }
  return { ...head, stages: results }
}
