import type { BarText } from '@chart/market'

/** Above the ten closed bars that a symbol's state keeps for corrections, so that a reading never meets one that was forgotten. */
const REMEMBERED_MAX = 16

/**
 * Which closed bars of one series its subscribers were told of, and in which revision: so that none is told twice after Redis fell
 * back to an earlier state of itself, and one that was missed is noticed.
 */
export class ToldBars {
  /** Revision by openTime; the newest bars only. */
  readonly #revisions = new Map<number, number>()
  /** Bars that open up to here were told and are forgotten. */
  #forgottenThrough = Number.NEGATIVE_INFINITY
  /** Revision by openTime of those that were corrected after they had been forgotten; the newest corrections only. */
  readonly #corrections = new Map<number, number>()

  /** Notes a bar; false when it was told already. */
  add(openTime: number, revision: number): boolean {
    if (openTime <= this.#forgottenThrough) return revision > 0 && this.#addCorrection(openTime, revision)
    const known = this.#revisions.get(openTime)
    if (known !== undefined && known >= revision) return false
    this.#revisions.set(openTime, revision)
    if (this.#revisions.size > REMEMBERED_MAX) {
      this.#forgottenThrough = Math.min(...this.#revisions.keys())
      this.#revisions.delete(this.#forgottenThrough)
    }
    return true
  }

  #addCorrection(openTime: number, revision: number): boolean {
    if ((this.#corrections.get(openTime) ?? 0) >= revision) return false
    this.#corrections.delete(openTime)
    this.#corrections.set(openTime, revision)
    if (this.#corrections.size > REMEMBERED_MAX) this.#corrections.delete(this.#corrections.keys().next().value!)
    return true
  }

  /** openTime of the newest bar told; undefined before the first. */
  get newest(): number | undefined {
    return this.#revisions.size === 0 ? undefined : Math.max(...this.#revisions.keys())
  }

  /** Those of `bars` that were not told; they are now. */
  missing(bars: readonly BarText[]): BarText[] {
    return bars.filter(bar => this.add(bar.openTime, bar.revision))
  }
}
