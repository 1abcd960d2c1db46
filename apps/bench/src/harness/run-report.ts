import { machineOf } from './machine.ts'
import type { Report } from './report.ts'
import type { StageResult } from './result.ts'
import { runStage } from './run-stage.ts'
import type { Stage } from './stage.ts'

export interface ReportOptions {
  readonly rounds: number
  readonly size: number
  onStage?(report: Report): void
}

/**
 * The stages that `names` ("rules,feed") asks for, in their own order; all without names.
 * @throws Error naming those that there are
 */
export function chosenStages(stages: readonly Stage[], names: string | undefined): readonly Stage[] {
  if (names === undefined) return stages
  const wanted = names.split(',')
  const unknown = wanted.filter(name => !stages.some(stage => stage.name === name))
  if (unknown.length > 0) {
    throw new Error(`there is no stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}`)
  }
  return stages.filter(({ name }) => wanted.includes(name))
}

/**
 * Runs `stages` one after the other; says on stderr how far it is. A stage that fails is told and left out: what the others took is worth
 * keeping.
 * @param onStage told what there is so far after each stage
 * @throws AggregateError of the stages that failed, after the last one
 */
export async function runReport(
  stages: readonly Stage[],
  { rounds, size, onStage = () => undefined }: ReportOptions,
): Promise<Report> {
  const head = { machine: machineOf(), begun: new Date().toISOString(), rounds, size }
  const results: StageResult[] = []
  const failures: Error[] = []
  for (const stage of stages) {
    try {
      results.push(await runStage(stage, { rounds, size, onRun: line => process.stderr.write(`${line}\n`) }))
      onStage({ ...head, stages: results })
    } catch (cause) {
      failures.push(new Error(`the stage ${stage.name} failed`, { cause }))
      process.stderr.write(`${stage.name} failed: ${(cause as Error).message}\n`)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
  return { ...head, stages: results }
}
