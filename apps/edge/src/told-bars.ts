import type { Telling, Version } from './series-event.ts'

/** Above the ten closed bars that a symbol's state keeps for corrections, so that a reading never meets one that was forgotten. */
const REMEMBERED_MAX = 16
/** Corrections remembered of bars that are forgotten otherwise: they are rare, and a Redis that fell back publishes them again. */
const CORRECTIONS_MAX = 256

/**
 * Which closed bars of one series its subscribers were told of, and in which version: so that none is told twice after Redis fell
 * back to an earlier state of itself, and one that was missed is noticed.
 */
export class ToldBars {
  /** Version by openTime; the newest bars only. */
  readonly #versions = new Map<number, Version>()
  /** openTime of the newest bar told; undefined before the first. */
  #newest: number | undefined
  /** Bars that open up to here were told and are forgotten. */
  #forgottenThrough = Number.NEGATIVE_INFINITY
  /** Revision by openTime of forgotten bars that were corrected, before or since; the newest corrections only. */
  readonly #corrections = new Map<number, number>()

  /** Notes a bar and says how it is to be told; undefined when it was told already. */
  add(bar: Version): Telling | undefined {
    const { openTime, revision } = bar
    if (openTime <= this.#forgottenThrough) return this.#addCorrection(openTime, revision)
    const known = this.#versions.get(openTime)
    if (known !== undefined && !isNewer(bar, known)) return undefined
    // One that follows those told was corrected before anyone heard of it; of one before them its closing was told to others.
    const isNext = known === undefined && (revision === 0 || openTime > (this.#newest ?? Number.POSITIVE_INFINITY))
    this.#versions.set(openTime, bar)
    this.#newest = Math.max(openTime, this.#newest ?? openTime)
    if (this.#versions.size > REMEMBERED_MAX) this.#forgetOldest()
    return isNext ? 'closed' : 'corrected'
  }

  #forgetOldest(): void {
    this.#forgottenThrough = Math.min(...this.#versions.keys())
    this.#addCorrection(this.#forgottenThrough, this.#versions.get(this.#forgottenThrough)!.revision)
    this.#versions.delete(this.#forgottenThrough)
  }

  #addCorrection(openTime: number, revision: number): Telling | undefined {
    if ((this.#corrections.get(openTime) ?? 0) >= revision) return undefined
    this.#corrections.delete(openTime)
    this.#corrections.set(openTime, revision)
    if (this.#corrections.size > CORRECTIONS_MAX) this.#corrections.delete(this.#corrections.keys().next().value!)
    return 'corrected'
  }

  /** openTime of the newest bar told; undefined before the first. */
  get newest(): number | undefined {
    return this.#newest
  }
}

/**
 * Revisions begin anew when Redis has fallen back behind the closing of a bar: then the bar may close with a trade that the version told
 * first had to do without, and have its revision or a lower one.
 */
export function isNewer(bar: Version, known: Version): boolean {
  if (bar.revision > known.revision || bar.lastTradeId > known.lastTradeId) return true
  return bar.lastTradeId === known.lastTradeId && bar.tradeCount > known.tradeCount
}
