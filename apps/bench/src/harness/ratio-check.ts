import type { Machine } from './machine.ts'
import { numberText, type Report, tableText } from './report.ts'

/** The ratios of a report, kept to hold later ones against. */
export interface RecordedRatios {
  readonly machine: Machine
  readonly begun: string
  readonly rounds: number
  readonly size: number
  readonly ratios: readonly RecordedRatio[]
}

export interface RecordedRatio {
  readonly stage: string
  readonly variant: string
  readonly against: string
  readonly figure: string
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/**
 * - `kept`: within the tolerance of what is recorded.
 * - `fell`: below it.
 * - `rose`: above it; to be recorded anew, or a later fall will hide behind it.
 * - `new`: measured and not recorded.
 * - `missing`: recorded and not measured, though its stage was run.
 */
export type Verdict = 'kept' | 'fell' | 'rose' | 'new' | 'missing'

export interface CheckedRatio {
  readonly stage: string
  readonly variant: string
  readonly against: string
  readonly figure: string
  readonly recorded: RecordedRatio | undefined
  readonly now: number | undefined
  readonly verdict: Verdict
}

/**
 * How far a ratio may fall: a third. Ratios of the same code on the same machine moved by up to so much between a quiet run and one beside
 * other work; a stage that got twice as slow is still found.
 */
export const FALL_MAX = 1 / 3

/** The share by which a ratio may fall: more than usual when its own recorded rounds ranged further down. */
export function fallMaxOf({ median, lowest }: RecordedRatio): number {
  return Math.max(FALL_MAX, (median - lowest) / median)
}

/** What of a report is worth recording. A ratio that could not be measured (CPU of others, away from Linux) is left out. */
export function recordedRatiosOf({ machine, begun, rounds, size, stages }: Report): RecordedRatios {
  return {
    machine,
    begun,
    rounds,
    size,
    ratios: stages.flatMap(ratiosOfStage).filter(({ median }) => Number.isFinite(median)),
  }
}

/** `recorded` with the stages of `report` in place of what was recorded of them before. */
export function withStagesOf(recorded: RecordedRatios | undefined, report: Report): RecordedRatios {
  const fresh = recordedRatiosOf(report)
  const kept = recorded?.ratios.filter(({ stage }) => !report.stages.some(({ name }) => name === stage)) ?? []
  return { ...fresh, ratios: [...kept, ...fresh.ratios] }
}

/** Every comparison of the stages that were run, and what was recorded of them and is gone. */
export function checkRatios(recorded: RecordedRatios, report: Report): CheckedRatio[] {
  const now = report.stages.flatMap(ratiosOfStage)
  const ran = new Set(report.stages.map(({ name }) => name))
  const measured = now.map(ratio =>
    checkedOf(
      recorded.ratios.find(other => sameComparison(other, ratio)),
      ratio,
    ),
  )
  const gone = recorded.ratios.filter(ratio => ran.has(ratio.stage) && !now.some(other => sameComparison(other, ratio)))
  return [...measured, ...gone.map(ratio => checkedOf(ratio, { ...ratio, median: Number.NaN }))]
}

function checkedOf(recorded: RecordedRatio | undefined, ratio: RecordedRatio): CheckedRatio {
  const { stage, variant, against, figure, median } = ratio
  const now = Number.isFinite(median) ? median : undefined
  return { stage, variant, against, figure, recorded, now, verdict: verdictOf(recorded, now) }
}

function verdictOf(recorded: RecordedRatio | undefined, now: number | undefined): Verdict {
  if (now === undefined) return 'missing'
  if (recorded === undefined) return 'new'
  const fallMax = fallMaxOf(recorded)
  if (now < recorded.median * (1 - fallMax)) return 'fell'
  return now > recorded.median / (1 - fallMax) ? 'rose' : 'kept'
}

/** A table in Markdown. */
export function checkText(checked: readonly CheckedRatio[]): string {
  const rows = checked.map(({ stage, variant, against, figure, recorded, now, verdict }) => [
    stage,
    variant,
    against,
    figure,
    numberText(recorded?.median),
    recorded === undefined ? '' : `−${Math.round(fallMaxOf(recorded) * 100)} %`,
    numberText(now),
    verdict === 'fell' ? 'FELL' : verdict,
  ])
  return tableText([['stage', 'ours', 'against', 'by', 'recorded', 'may fall', 'now', 'verdict'], ...rows])
}

function ratiosOfStage({ name, ratios }: Report['stages'][number]): RecordedRatio[] {
  return ratios.map(({ variant, against, figure, median, lowest, highest }) => ({
    stage: name,
    variant,
    against,
    figure,
    median: rounded(median),
    lowest: rounded(lowest),
    highest: rounded(highest),
  }))
}

/** JSON has null for what is no number. Four digits are more than a ratio is worth, and a file of them can be read. */
function rounded(ratio: number | null): number {
  return ratio === null ? Number.NaN : Number(ratio.toPrecision(4))
}

function sameComparison(one: RecordedRatio, other: RecordedRatio): boolean {
  return (
    one.stage === other.stage &&
    one.variant === other.variant &&
    one.against === other.against &&
    one.figure === other.figure
  )
}
