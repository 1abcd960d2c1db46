import type { Market, TradeHistory } from './market.ts'
import { assetsOf, type SymbolRules } from './symbol-rules.ts'
import type { Trade } from './trade.ts'

/** A market that is a recording (`recording.ts`): its trades, each sent at the event time it was sent at then. */
export function createRecordedMarket(recording: ReadonlyMap<string, readonly Trade[]>): Market {
  const histories = new Map<string, RecordedHistory>()
  for (const [symbol, trades] of recording) histories.set(symbol, new RecordedHistory(symbol, trades))
  const all = [...histories.values()]
  return {
    histories,
    startTime: Math.min(...all.map(history => history.startTime)),
    endTime: Math.max(...all.map(history => history.endTime)),
    recorded: true,
  }
}

class RecordedHistory implements TradeHistory {
  readonly rules: SymbolRules
  readonly latenessMaxMs: number
  readonly startTime: number
  readonly endTime: number
  readonly #trades: readonly Trade[]
  /** Time at which each trade is due: its event time, or that of a trade before it where the recording steps back. */
  readonly #dueTimes: Float64Array

  constructor(symbol: string, trades: readonly Trade[]) {
    this.#trades = trades
    this.#dueTimes = new Float64Array(trades.length)
    let due = 0
    let latenessMs = 0
    let startTime = Number.POSITIVE_INFINITY
    for (const [index, trade] of trades.entries()) {
      due = Math.max(due, trade.eventTime, trade.tradeTime)
      this.#dueTimes[index] = due
      latenessMs = Math.max(latenessMs, due - trade.tradeTime)
      startTime = Math.min(startTime, trade.tradeTime)
    }
    this.rules = rulesSeen(symbol, trades)
    this.latenessMaxMs = latenessMs
    this.startTime = startTime
    this.endTime = due + 1
  }

  countBefore(time: number): number {
    return firstIndex(this.#dueTimes.length, index => this.#dueTimes[index]! >= time)
  }

  positionOf(tradeId: number): number {
    return firstIndex(this.#trades.length, index => this.#trades[index]!.tradeId >= tradeId)
  }

  read(from: number, to: number): Trade[] {
    return this.#trades.slice(from, to)
  }

  /** All of it is in memory. */
  prepare(): void {}
}

/** First index below `length` for which an ascending test holds; `length` where it never does. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Tick and step sizes change over the years, so they are those the recording shows, not today's. */
function rulesSeen(symbol: string, trades: readonly Trade[]): SymbolRules {
  const [baseAsset, quoteAsset] = assetsOf(symbol)
  const decimalsOf = (text: string) => text.replace(/0+$/, '').split('.')[1]!.length
  const most = (texts: Iterable<string>) => {
    let decimals = 0
    for (const text of texts) decimals = Math.max(decimals, decimalsOf(text))
    return decimals
  }
  return {
    symbol,
    baseAsset,
    quoteAsset,
    startPrice: Number(trades[0]!.price),
    priceDecimals: most(trades.map(trade => trade.price)),
    quantityDecimals: most(trades.map(trade => trade.quantity)),
  }
}
