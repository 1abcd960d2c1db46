/**
 * Weight that a minute may spend on whole first bars: three quarters of the 4,800 that we allow ourselves. The rest is for what proves
 * that nothing is missing.
 */
export const FIRST_BARS_WEIGHT_MAX = 3_600
const WINDOW_MS = 60_000
/** A question for the first trade of the minute costs 4, a page of up to 1,000 trades 25. */
const QUESTION_WEIGHT = 4
const PAGE_WEIGHT = 25
const PAGE_TRADES = 1_000
const MINUTES_OF_DAY = 1_440

/**
 * At a first start the trades since the beginning of the present minute are fetched for each symbol, so that its first 1m bar is whole:
 * 29 weight and more. For 2,000 symbols that would keep live bars waiting for a quarter of an hour, so there is a budget: who comes when
 * it is spent begins at its newest trade, with a first minute that is said to be incomplete.
 */
export class FirstBars {
  readonly #weightMax: number
  readonly #now: () => number
  #windowTime = Number.NEGATIVE_INFINITY
  #spent = 0

  constructor(weightMax = FIRST_BARS_WEIGHT_MAX, now: () => number = () => performance.now()) {
    this.#weightMax = weightMax
    this.#now = now
  }

  /**
   * Whether a symbol may have a whole first bar; if so, its weight is spent. What busier symbols that begin with it would take is left for
   * them: what is known of which symbol first is chance.
   * @param tradeCount trades a day
   * @param tradeCounts of all symbols that begin together, the most first
   */
  take(tradeCount: number, tradeCounts: readonly number[] = []): boolean {
    const now = this.#now()
    if (now - this.#windowTime >= WINDOW_MS) {
      this.#windowTime = now
      this.#spent = 0
    }
    const weight = weightOf(tradeCount)
    let reserved = weight
    for (const busier of tradeCounts) {
      if (busier <= tradeCount || reserved > this.#weightMax) break
      reserved += weightOf(busier)
    }
    if (Math.max(reserved, this.#spent + weight) > this.#weightMax) return false
    this.#spent += weight
    return true
  }
}

function weightOf(tradeCount: number): number {
  const pages = 1 + Math.floor(tradeCount / MINUTES_OF_DAY / PAGE_TRADES)
  return QUESTION_WEIGHT + pages * PAGE_WEIGHT
}
