import type { SymbolRules } from './symbol-rules.ts'
import type { Trade } from './trade.ts'

/**
 * Every trade that a symbol has, had and will have, by position: 0 is the first, in id order. It says nothing about
 * what is known at a moment; `tape.ts` does. Both markets (seeded, recorded) are this.
 */
export interface TradeHistory {
  readonly rules: SymbolRules
  /** No trade is sent later than this after its trade time. 0 where trade times never decrease. */
  readonly latenessMaxMs: number
  /** How many trades have eventTime < `time`; the position of the first one that has not. */
  countBefore(time: number): number
  /** Position of the first trade whose id is `tradeId` or later. */
  positionOf(tradeId: number): number
  /** Trades at positions `from` up to `to`, exclusive. The caller keeps the range small. */
  read(from: number, to: number): Trade[]
  /** Says that trades of the second around `time` will soon be asked for. */
  prepare(time: number): void
}

export interface Market {
  readonly histories: ReadonlyMap<string, TradeHistory>
  /** Nothing was traded before it, ms. */
  readonly startTime: number
  /** Nothing is traded from it on, ms; Infinity for a seeded market. */
  readonly endTime: number
  /** Frames keep the event time of the recording; otherwise it is the clock at sending. */
  readonly recorded: boolean
}
