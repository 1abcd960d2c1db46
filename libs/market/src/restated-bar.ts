import { type Bar, type BarText, barOfText, nextOpenTimeOf } from './bar.ts'
import { DecimalError } from './decimal.ts'
import type { BarChanges, SymbolBars } from './symbol-bars.ts'

/**
 * Puts a closed bar that was made anew from the exchange in the place of ours, as a correction: its revision is one above the highest
 * that is known. The same bar once more changes nothing while ours is kept, and gives the same revision when it is not.
 *
 * Only the bar itself is restated. A longer one that its numbers are in already has a comparison with the exchange of its own.
 * @param given its revision is the one that was found wrong
 * @returns false when it was passed over: not closed here yet, not an interval of ours, or no numbers of this symbol
 */
export function applyRestatement(bars: SymbolBars, given: BarText, changes: BarChanges): boolean {
  const series = bars.series.find(({ interval }) => interval.name === given.interval)
  const bar = barIfReadable(given, bars)
  if (series === undefined || bar === undefined || nextOpenTimeOf(bar) > bars.reachedTime) return false
  const index = series.closed.findIndex(({ openTime }) => openTime === bar.openTime)
  const kept = series.closed[index]
  if (kept !== undefined && hasSameNumbers(kept, bar)) return true
  const revision = Math.max(kept?.revision ?? 0, bar.revision) + 1
  const restated: Bar = { ...bar, state: 'closed', revision }
  if (kept !== undefined) series.closed[index] = restated
  changes.closed.push(restated)
  return true
}

/** What cannot be read is passed over: in the log it would be met again for ever. */
function barIfReadable(given: BarText, { symbol, scales }: SymbolBars): Bar | undefined {
  if (given.symbol !== symbol) return undefined
  try {
    return barOfText(given, scales)
  } catch (error) {
    if (error instanceof DecimalError) return undefined
    throw error
  }
}

function hasSameNumbers(a: Bar, b: Bar): boolean {
  return (
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.baseVolume === b.baseVolume &&
    a.quoteVolume === b.quoteVolume &&
    a.takerBuyBaseVolume === b.takerBuyBaseVolume &&
    a.takerBuyQuoteVolume === b.takerBuyQuoteVolume &&
    a.tradeCount === b.tradeCount &&
    a.firstTradeId === b.firstTradeId &&
    a.lastTradeId === b.lastTradeId &&
    a.complete === b.complete
  )
}
