import { medianOf } from './median.ts'
import type { Comparison, Figure, Sample, Stage, Variant } from './stage.ts'

/** What a stage gave, as it is kept in the JSON of a report. */
export interface StageResult {
  readonly name: string
  readonly job: string
  readonly figures: readonly Figure[]
  readonly variants: readonly VariantResult[]
  readonly ratios: readonly Ratio[]
}

export interface VariantResult extends Variant {
  readonly median: Sample
  readonly rounds: readonly Sample[]
}

export interface Ratio extends Comparison {
  /** Of the rounds' ratios. */
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** @param rounds of each variant by name, in the order in which they were run */
export function resultOf(stage: Stage, rounds: ReadonlyMap<string, readonly Sample[]>): StageResult {
  const { name, job, figures, comparisons } = stage
  const variants = stage.variants.map(variant => {
    const own = rounds.get(variant.name) ?? []
    return { ...variant, median: medianSampleOf(own), rounds: own }
  })
  const ratios = comparisons.map(comparison => ratioOf(comparison, figures, rounds))
  return { name, job, figures, variants, ratios }
}

function medianSampleOf(rounds: readonly Sample[]): Sample {
  const names = new Set(rounds.flatMap(sample => Object.keys(sample)))
  return Object.fromEntries(
    [...names].map(name => [name, medianOf(rounds.map(sample => sample[name]).filter(value => value !== undefined))]),
  )
}

function ratioOf(
  comparison: Comparison,
  figures: readonly Figure[],
  rounds: ReadonlyMap<string, readonly Sample[]>,
): Ratio {
  const better = figures.find(({ name }) => name === comparison.figure)?.better ?? 'more'
  const others = rounds.get(comparison.against) ?? []
  const ratios = (rounds.get(comparison.variant) ?? []).map((sample, round) => {
    const own = sample[comparison.figure] ?? Number.NaN
    const other = others[round]?.[comparison.figure] ?? Number.NaN
    return better === 'more' ? own / other : other / own
  })
  return { ...comparison, median: medianOf(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) }
}
