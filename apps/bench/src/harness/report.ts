import type { Machine } from './machine.ts'
import type { Ratio, StageResult, VariantResult } from './result.ts'

export interface Report {
  readonly machine: Machine
  /** When it was begun, ISO 8601. */
  readonly begun: string
  readonly rounds: number
  readonly size: number
  readonly stages: readonly StageResult[]
}

/** A table in Markdown for each stage: what each variant took, and how ours compares with it. */
export function textOf({ machine, begun, rounds, size, stages }: Report): string {
  const where = `${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GiB, ${machine.system}, Node ${machine.node}, load ${machine.load}`
  const how = `Medians of ${rounds} interleaved rounds${size === 1 ? '' : ` of ${size} of the work`}, begun ${begun}.`
  return [`${where}\n${how}`, ...stages.map(stageText)].join('\n\n')
}

function stageText(stage: StageResult): string {
  const { name, job, figures, variants, ratios } = stage
  const head = ['', 'way', ...figures.map(({ unit }) => unit)]
  const rows = variants.map(variant => [
    variant.role,
    variant.name,
    ...figures.map(figure => numberText(variant.median[figure.name])),
  ])
  const parts = [`## ${name}: ${job}`, tableText([head, ...rows])]
  if (ratios.length > 0) parts.push(tableText([RATIO_HEAD, ...ratios.map(ratio => ratioRow(stage, ratio))]))
  return parts.join('\n\n')
}

const RATIO_HEAD = ['ours', 'against', 'by', 'times better', 'range', 'wanted']

function ratioRow({ figures }: StageResult, ratio: Ratio): string[] {
  const unit = figures.find(({ name }) => name === ratio.figure)?.unit ?? ratio.figure
  const wanted =
    ratio.atLeast === undefined ? '' : `≥ ${numberText(ratio.atLeast)} ${isReached(ratio) ? 'reached' : 'MISSED'}`
  const range = `${numberText(ratio.lowest)}–${numberText(ratio.highest)}`
  return [ratio.variant, ratio.against, unit, numberText(ratio.median), range, wanted]
}

/** Whether the median is what the design is meant to reach. */
export function isReached({ median, atLeast }: Ratio): boolean {
  return atLeast === undefined || median >= atLeast
}

/** Three digits that count, and thousands apart. */
export function numberText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** A table in Markdown; the first row is its head. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const [head, ...rest] = rows
  return [head!, head!.map(() => '---'), ...rest].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** What a stage's own variant of this name took. */
export function variantOf(stage: StageResult, name: string): VariantResult | undefined {
  return stage.variants.find(variant => variant.name === name)
}
