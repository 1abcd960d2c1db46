/**
 * What a benchmark is made of. A stage does one job in several ways: ours, the floor (what the machine allows at best, with none of the
 * guarantees) and what one would pick instead. All of them run in turn, round by round, so that what else happens on the machine meets
 * them alike, and what is compared are ratios inside a round.
 */
export interface Stage {
  /** One word, as `--stages` takes it. */
  readonly name: string
  /** What is done, in one sentence. */
  readonly job: string
  readonly figures: readonly Figure[]
  readonly variants: readonly Variant[]
  readonly comparisons: readonly Comparison[]
  /** Starts what all variants share (servers, input). `size` is 1 for a whole run; a tenth of the work at 0.1. */
  open(size: number): Promise<OpenStage>
}

export interface OpenStage extends AsyncDisposable {
  /** Does the job once in one way and tells what it took, by name of the figure. */
  run(variant: string): Promise<Sample>
}

export interface Variant {
  readonly name: string
  readonly role: 'ours' | 'floor' | 'instead'
}

/** Something measured. */
export interface Figure {
  readonly name: string
  /** `trades/s`, `µs CPU a trade`. */
  readonly unit: string
  readonly better: 'more' | 'less'
}

/** By name of the figure; one that a variant does not have is left out. */
export type Sample = Readonly<Record<string, number>>

/** How many times better one variant is than another: above 1 is better, whether more or less is. */
export interface Comparison {
  readonly variant: string
  readonly against: string
  readonly figure: string
  /** What the design is meant to reach at least. */
  readonly atLeast?: number
}
