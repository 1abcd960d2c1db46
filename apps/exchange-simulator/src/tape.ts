import type { TradeHistory } from './market.ts'
import type { Trade } from './trade.ts'

/** A run of the market's positions that did happen, and by how much their ids are shifted. */
interface Run {
  readonly from: number
  to: number
  readonly idShift: number
}

interface Halt {
  readonly from: number
  to: number
}

/**
 * What one symbol has traded so far: the market's history up to a moment, without what fell into trading halts, and with
 * the holes in ids that were commanded. Trades after `time` are not known to anyone.
 * Halts and holes live as long as the process; the market itself is the same at the next start.
 */
export class Tape {
  readonly history: TradeHistory
  /** Everything with an event time before it has been sent. */
  #time: number
  readonly #startTime: number
  /** In order of positions; the last one is open ended, except during a halt. */
  readonly #runs: Run[] = [{ from: 0, to: Number.POSITIVE_INFINITY, idShift: 0 }]
  readonly #halts: Halt[] = []
  #countedTime = Number.NaN
  #countedPosition = 0

  constructor(history: TradeHistory, time: number) {
    this.history = history
    this.#time = time
    this.#startTime = time
  }

  get symbol(): string {
    return this.history.rules.symbol
  }

  get time(): number {
    return this.#time
  }

  get halted(): boolean {
    return this.#halts.at(-1)?.to === Number.POSITIVE_INFINITY
  }

  /** Position after the last trade that has happened; positions of a halt in between count. */
  get end(): number {
    return this.#positionAt(this.#time)
  }

  advanceTo(time: number): void {
    this.#time = time
  }

  /** Trades with `from` <= eventTime < `to`, at most up to now. */
  sentBetween(from: number, to: number): Trade[] {
    return this.read(this.#positionAt(from), this.#positionAt(Math.min(to, this.#time)))
  }

  /** How many trades were sent since the start. */
  sentCount(): number {
    return this.countSince(this.#startTime)
  }

  /** How many trades with eventTime >= `time` were sent. */
  countSince(time: number): number {
    const start = this.history.countBefore(time)
    return this.#runs.reduce((sum, run) => sum + Math.max(0, Math.min(run.to, this.end) - Math.max(run.from, start)), 0)
  }

  read(from: number, to: number): Trade[] {
    const last = Math.min(to, this.end)
    const found: Trade[] = []
    for (const run of this.#runs) {
      const runFrom = Math.max(from, run.from)
      const runTo = Math.min(last, run.to)
      if (runFrom >= runTo) continue
      const trades = this.history.read(runFrom, runTo)
      if (run.idShift === 0 && found.length === 0 && runTo === last) return trades
      for (const trade of trades) found.push(run.idShift ? { ...trade, tradeId: trade.tradeId + run.idShift } : trade)
    }
    return found
  }

  /** The newest `count` trades before a position, oldest first. */
  readBack(before: number, count: number): Trade[] {
    let left = count
    const parts: Trade[][] = []
    for (const run of this.#runs.toReversed()) {
      const to = Math.min(before, run.to, this.end)
      const from = Math.max(run.from, to - left)
      if (from >= to) continue
      parts.push(this.read(from, to))
      left -= to - from
      if (left === 0) break
    }
    return parts.reverse().flat()
  }

  /** `count` trades from the first whose id is `tradeId` or later. */
  readFromId(tradeId: number, count: number): Trade[] {
    const found: Trade[] = []
    for (const run of this.#runs) {
      const from = Math.max(run.from, this.history.positionOf(tradeId - run.idShift))
      const to = Math.min(run.to, this.end, from + count - found.length)
      if (from < to) found.push(...this.read(from, to))
      if (found.length === count) break
    }
    return found
  }

  /** Position of the first trade with eventTime >= `time`. */
  positionAt(time: number): number {
    return this.#positionAt(Math.min(time, this.#time))
  }

  /** Trading stops now: what the market would have traded until `resume` never happens. */
  halt(): void {
    if (this.halted) return
    this.#halts.push({ from: this.#time, to: Number.POSITIVE_INFINITY })
    this.#runs.at(-1)!.to = this.end
  }

  /** Trading goes on, with the id after the last. */
  resume(): void {
    if (!this.halted) return
    this.#halts.at(-1)!.to = this.#time
    const last = this.#runs.at(-1)!
    const idsUnused = this.end - last.to
    this.#runs.push({ from: this.end, to: Number.POSITIVE_INFINITY, idShift: last.idShift - idsUnused })
  }

  /** The next trade's id is `count` higher than it should be: the exchange itself skips ids. */
  skipIds(count: number): void {
    if (this.halted) throw new Error(`${this.symbol} is halted; ids are skipped while it trades`)
    const last = this.#runs.at(-1)!
    last.to = this.end
    this.#runs.push({ from: this.end, to: Number.POSITIVE_INFINITY, idShift: last.idShift + count })
  }

  /** Whether trading was halted in the whole of a span; the exchange makes no kline of it. */
  haltedThroughout(from: number, to: number): boolean {
    return this.#halts.some(halt => halt.from <= from && halt.to >= to)
  }

  /** The last lookup is kept: the end of one step is the start of the next. */
  #positionAt(time: number): number {
    if (this.#countedTime !== time) {
      this.#countedTime = time
      this.#countedPosition = this.history.countBefore(time)
    }
    return this.#countedPosition
  }
}
