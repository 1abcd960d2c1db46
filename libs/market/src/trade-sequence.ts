import type { Trade } from './trade.ts'

/**
 * The trades of one symbol in id order without holes, made out of what sockets and REST deliver in any order and more than
 * once. It is the ingestor's memory: what is not yet in the trade log, and a ring of what is, so that a takeover or a Redis
 * that lost its tail is served without asking the exchange again.
 *
 * Three ids tell its state: `storedId ≤ lastId ≤ seenId`. Trades up to storedId are in the trade log; trades up to lastId
 * are here or were; a trade with seenId exists. lastId < seenId means a gap: later trades wait for the missing ones.
 */
export class TradeSequence {
  readonly #ringMax: number
  readonly #waitingMax: number
  /** Ascending ids; index 0 is the oldest still remembered. */
  #trades: Trade[] = []
  /** Index in #trades of the first trade that is not in the trade log. */
  #unstored = 0
  /** Trades beyond the gap, by id. */
  #waiting = new Map<number, Trade>()
  #storedId: number | undefined
  #lastId: number | undefined
  #seenId = -1
  /** Ids that the exchange has confirmed not to have: the trade after the hole, to the id before it. */
  #holes = new Map<number, number>()

  constructor(bounds: { ringTradesMax: number; waitingTradesMax: number }) {
    this.#ringMax = bounds.ringTradesMax
    this.#waitingMax = bounds.waitingTradesMax
  }

  /** Id of the newest trade in order; undefined before the first. */
  get lastId(): number | undefined {
    return this.#lastId
  }

  /** Highest id ever offered; −1 before the first. */
  get seenId(): number {
    return this.#seenId
  }

  /** Last id known to be in the trade log; undefined until the log has told. */
  get storedId(): number | undefined {
    return this.#storedId
  }

  /** First id that is missing although a later one exists, or undefined. */
  get gapStart(): number | undefined {
    return this.#lastId !== undefined && this.#lastId < this.#seenId ? this.#lastId + 1 : undefined
  }

  /** Trades in order that are not in the trade log yet. */
  get unstoredCount(): number {
    return this.#trades.length - this.#unstored
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /**
   * Takes one trade from a socket or from REST. `duplicate`: known already. `added`: it continues the run (and may have
   * released waiting ones). `waiting`: ids before it are missing.
   */
  offer(trade: Trade): 'added' | 'duplicate' | 'waiting' {
    const id = trade.tradeId
    if (id > this.#seenId) this.#seenId = id
    if (this.#lastId !== undefined && id <= this.#lastId) return 'duplicate'
    if (this.#lastId === undefined || id === this.#lastId + 1) {
      this.#push(trade)
      this.#releaseWaiting()
      return 'added'
    }
    if (this.#waiting.has(id)) return 'duplicate'
    // At the bound nothing is lost: the gap is filled in id order from REST, which goes on through what was refused here.
    if (this.#waiting.size < this.#waitingMax) this.#waiting.set(id, trade)
    return 'waiting'
  }

  /** Whether the trade with this id is here and in order. */
  holds(tradeId: number): boolean {
    return this.#trades[this.#indexAfter(tradeId - 1)]?.tradeId === tradeId
  }

  /** Notes that the exchange has a trade with this id, seen by other means than a trade message. */
  noteSeen(tradeId: number): void {
    if (tradeId > this.#seenId) this.#seenId = tradeId
  }

  /**
   * The exchange has no trades between lastId and `nextId`: it answered a request from lastId + 1 with `nextId`.
   * A trade that waits here before `nextId` proves otherwise, so the hole ends before it.
   */
  confirmHole(nextId: number): void {
    if (this.#lastId === undefined || nextId <= this.#lastId + 1) return
    this.noteSeen(nextId)
    let next = nextId
    for (const id of this.#waiting.keys()) if (id < next) next = id
    if (next <= this.#lastId + 1) return
    this.#holes.set(next, this.#lastId)
    this.#lastId = next - 1
    this.#releaseWaiting()
  }

  /**
   * The trade log says that `tradeId` is its last. Ahead of us: we skip to it. Inside the ring: what comes after it is to be
   * stored (again, if the log lost its tail). Before the ring: what we hold waits until the gap before it is filled.
   */
  alignTo(tradeId: number): void {
    this.#storedId = tradeId
    if (tradeId > this.#seenId) this.#seenId = tradeId
    const first = this.#trades[0]
    if (this.#lastId === undefined || tradeId >= this.#lastId) {
      if (this.#lastId === undefined || tradeId > this.#lastId) {
        this.#trades = []
        this.#holes.clear()
        this.#lastId = tradeId
        for (const id of this.#waiting.keys()) if (id <= tradeId) this.#waiting.delete(id)
        this.#releaseWaiting()
        this.#unstored = 0
      } else {
        this.#unstored = this.#trades.length
      }
      return
    }
    const reachesBack =
      first !== undefined && (first.tradeId <= tradeId + 1 || this.#holes.get(first.tradeId) === tradeId)
    if (reachesBack) {
      this.#unstored = this.#indexAfter(tradeId)
      return
    }
    const held = this.#trades
    this.#trades = []
    this.#holes.clear()
    this.#unstored = 0
    this.#lastId = tradeId
    for (const trade of held) if (this.#waiting.size < this.#waitingMax) this.#waiting.set(trade.tradeId, trade)
    this.#releaseWaiting()
  }

  /**
   * Up to `countMax` trades to be stored next, as one run of ids without a hole.
   * `holeBefore`: the exchange has no trades between the last stored one and the first of these.
   */
  nextRun(countMax: number): { trades: Trade[]; holeBefore: boolean } {
    const trades: Trade[] = []
    for (let index = this.#unstored; index < this.#trades.length && trades.length < countMax; index++) {
      const trade = this.#trades[index]!
      const previous = trades[trades.length - 1]
      if (previous !== undefined && trade.tradeId !== previous.tradeId + 1) break
      trades.push(trade)
    }
    const first = trades[0]
    const holeBefore = first !== undefined && this.#storedId !== undefined && first.tradeId > this.#storedId + 1
    return { trades, holeBefore }
  }

  /** The trade log took everything up to `tradeId`. */
  markStored(tradeId: number): void {
    this.#storedId = tradeId
    this.#unstored = this.#indexAfter(tradeId)
    this.#trim()
  }

  /**
   * For a standby, which stores nothing: keep only the newest run, at most the ring's length. A gap is not filled but jumped
   * over, since the run after it is all that a takeover needs.
   */
  keepNewest(): void {
    if (this.#waiting.size > 0) {
      const waiting = [...this.#waiting.values()].sort((a, b) => a.tradeId - b.tradeId)
      let start = waiting.length - 1
      while (start > 0 && waiting[start - 1]!.tradeId === waiting[start]!.tradeId - 1) start--
      this.#trades = waiting.slice(start)
      this.#waiting.clear()
      this.#holes.clear()
      // Not seenId: what was refused at the bound, or seen by other means, is not here.
      this.#lastId = waiting[waiting.length - 1]!.tradeId
    }
    this.#unstored = this.#trades.length
    this.#trim()
  }

  #push(trade: Trade): void {
    this.#trades.push(trade)
    this.#lastId = trade.tradeId
  }

  #releaseWaiting(): void {
    if (this.#waiting.size === 0) return
    for (;;) {
      const next = this.#waiting.get(this.#lastId! + 1)
      if (next === undefined) return
      this.#waiting.delete(next.tradeId)
      this.#push(next)
    }
  }

  #indexAfter(tradeId: number): number {
    let low = 0
    let high = this.#trades.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#trades[middle]!.tradeId <= tradeId) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Forgets stored trades beyond the ring's length, in steps of a quarter so that the cost per trade stays constant. */
  #trim(): void {
    const surplus = this.#unstored - this.#ringMax
    if (surplus < this.#ringMax / 4) return
    const dropped = this.#trades.splice(0, surplus)
    for (const trade of dropped) if (this.#holes.size > 0) this.#holes.delete(trade.tradeId)
    this.#unstored -= surplus
  }
}
