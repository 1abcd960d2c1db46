/** Feeds are looked at once a second: bars that lack a trade for five of these are behind; a commit takes milliseconds. */
const LOOKS_MAX = 5

/**
 * Whether a symbol's bars follow its feed. Trades may arrive that nobody makes into bars, because no aggregator works; or their updates do not reach
 * us. Looks are counted and not time, so that a process that was held up itself does not take that for a fault of others.
 */
export class BarsBehind {
  /** The newest trade that was fed, at each of the last looks. */
  readonly #fed: number[] = []

  /**
   * @param fedTradeId the newest trade in the trade log
   * @param throughTradeId every trade up to this one is in the bars; undefined where there are no bars yet
   */
  look(fedTradeId: number, throughTradeId: number | undefined): boolean {
    this.#fed.push(fedTradeId)
    if (this.#fed.length <= LOOKS_MAX) return false
    return throughTradeId !== undefined && throughTradeId < this.#fed.shift()!
  }
}
