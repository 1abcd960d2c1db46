/** Shorter waits are the usual way. */
const PAUSE_MIN_MS = 100

/** What should go on: trades into a log, its entries into bars, trades to a client, closed bars into PostgreSQL. */
export type Progress = 'log' | 'commit' | 'told' | 'stored'

/** A time in which something waited and nothing of it was done. Times are those of performance.now(). */
export interface Pause {
  /** Tag of the partition; of `told` the name of the edge. */
  readonly tag: string
  readonly progress: Progress
  readonly from: number
  readonly to: number
  /** Another owner has done what was done at last. */
  readonly changedOwner: boolean
}

/**
 * Tells a partition that stands from one that has nothing to do: it waits from the moment something is there that is not done, to the
 * next thing done. Both are told as numbers that only grow.
 */
export class Waiting {
  readonly #tag: string
  readonly #progress: Progress
  readonly #pauses: Pause[]
  #expected = 0
  #done = 0
  #token = ''
  #since: number | undefined

  /** @param pauses where pauses are noted when they end */
  constructor(tag: string, progress: Progress, pauses: Pause[]) {
    this.#tag = tag
    this.#progress = progress
    this.#pauses = pauses
  }

  /** So much is there to be done. */
  expect(value: number, now: number): void {
    this.#expected = Math.max(this.#expected, value)
    if (this.#expected > this.#done) this.#since ??= now
  }

  /** So much is done, by the owner with this token. What comes again after Redis lost its tail is no progress yet. */
  reach(value: number, token: string, now: number): void {
    if (value <= this.#done) return
    if (this.#since !== undefined && now - this.#since >= PAUSE_MIN_MS) {
      const changedOwner = this.#token !== token
      this.#pauses.push({ tag: this.#tag, progress: this.#progress, from: this.#since, to: now, changedOwner })
    }
    this.#done = value
    this.#token = token
    // What still waits counts from now on: a backlog that is being worked off is no pause.
    this.#since = this.#expected > value ? now : undefined
  }
}
