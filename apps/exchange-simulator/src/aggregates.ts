import { type AggregateTrade, aggregateTrades } from './frames.ts'
import type { Tape } from './tape.ts'
import type { Trade } from './trade.ts'

/** Trades read for each aggregate wanted, at first; an order has a few fills, at times hundreds, so more may follow. */
const tradesPerAggregate = 4

/** The first `limit` aggregates that begin at a trade id or later; those cut by it are left out. */
export function aggregatesFromId(tape: Tape, fromId: number, limit: number): AggregateTrade[] {
  for (let count = limit * tradesPerAggregate; ; count *= 4) {
    // One more in front: it tells whether the first trade goes on an order that began before.
    const trades = tape.readFromId(Math.max(0, fromId - 1), count)
    const found = aggregateTrades(trades)
    if (trades.length === count) found.pop()
    const wanted = found.filter(aggregate => aggregate.firstTradeId >= fromId)
    if (wanted.length >= limit || trades.length < count) return wanted.slice(0, limit)
  }
}

/** The oldest `limit` aggregates with `from` <= tradeTime <= `to`. */
export function aggregatesSince(tape: Tape, from: number, to: number, limit: number): AggregateTrade[] {
  const accepts = (trade: Trade) => trade.tradeTime >= from && trade.tradeTime <= to
  const start = tape.positionAt(from)
  const end = tape.positionAt(to + 1 + tape.history.latenessMaxMs)
  for (let count = limit * tradesPerAggregate; ; count *= 4) {
    const last = Math.min(end, start + count)
    const found = aggregateTrades(tape.read(start, last).filter(accepts))
    if (last < end) found.pop()
    if (found.length >= limit || last === end) return found.slice(0, limit)
  }
}

/** The newest `limit` aggregates with tradeTime <= `to`, oldest first. */
export function aggregatesUntil(tape: Tape, to: number, limit: number): AggregateTrade[] {
  const end = tape.positionAt(to + 1 + tape.history.latenessMaxMs)
  for (let count = limit * tradesPerAggregate; ; count *= 4) {
    const trades = tape.readBack(end, count)
    const found = aggregateTrades(trades.filter(trade => trade.tradeTime <= to))
    if (trades.length === count) found.shift()
    if (found.length >= limit || trades.length < count) return found.slice(-limit)
  }
}
