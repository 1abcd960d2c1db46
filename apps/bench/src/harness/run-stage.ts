import { resultOf, type StageResult } from './result.ts'
import type { Sample, Stage } from './stage.ts'

export interface RunOptions {
  /** Counted rounds; one more before them warms up. */
  readonly rounds: number
  /** 1 is a whole run. */
  readonly size: number
  /** Told after each single run. */
  onRun(line: string): void
}

/** Runs every variant once a round, in an order that turns round each time. */
export async function runStage(stage: Stage, { rounds, size, onRun }: RunOptions): Promise<StageResult> {
  const samples = new Map<string, Sample[]>(stage.variants.map(({ name }) => [name, []]))
  await using open = await stage.open(size)
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? stage.variants : [...stage.variants].reverse()
    for (const { name } of order) {
      const sample = await open.run(name)
      if (round > 0) samples.get(name)!.push(sample)
      onRun(`${stage.name}: ${name}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`)
    }
  }
  return resultOf(stage, samples)
}
