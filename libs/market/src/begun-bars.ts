import { type Bar, type BarText, barOfText } from './bar.ts'
import { advance } from './bar-series.ts'
import type { Scales } from './decimal.ts'
import { KNOWN_INTERVALS } from './interval.ts'
import { newChanges, newSymbolBars, type SymbolBars } from './symbol-bars.ts'

const MINUTE = '1m'
const MINUTE_MS = 60_000
/** A jump of ids among this many of the newest bars is taken for bars that were lost, and everything after it is made again. */
const LOST_REACH = 15

/**
 * The state of a symbol's bars as its stored minutes leave it: to go on from when the state itself is lost, so that an hour or a day that
 * had begun ends complete.
 * @param minutes closed 1m bars, oldest first; a jump of ids among the newest ends them there, an older one begins them after it
 * @returns undefined when they do not tell which trade comes next
 */
export function symbolBarsOfMinutes(
  symbol: string,
  scales: Scales,
  minutes: readonly BarText[],
): SymbolBars | undefined {
  const chain = wholeRunOf(minutes)
  const firstTradeId = chain.find(({ tradeCount }) => tradeCount > 0)?.firstTradeId
  if (firstTradeId === undefined) return undefined
  const bars = newSymbolBars(symbol, KNOWN_INTERVALS, scales, firstTradeId - 1, chain[0]!.openTime)
  for (const text of chain) applyMinute(bars, barOfText(text, scales))
  return bars
}

/** The newest run of minutes without a jump of ids, without what comes after a jump that is recent. */
function wholeRunOf(minutes: readonly BarText[]): readonly BarText[] {
  let start = 0
  let lastId: number | undefined
  for (const [index, { tradeCount, firstTradeId, lastTradeId }] of minutes.entries()) {
    if (tradeCount === 0) continue
    if (firstTradeId < 0) {
      // Imported: its trades are not known, so nothing begins before it or with it.
      start = index + 1
      lastId = undefined
      continue
    }
    if (lastId !== undefined && firstTradeId !== lastId + 1) {
      if (index >= minutes.length - LOST_REACH) return minutes.slice(start, index)
      start = index
    }
    lastId = lastTradeId
  }
  return minutes.slice(start)
}

function applyMinute(bars: SymbolBars, minute: Bar): void {
  const series = bars.series.find(({ interval }) => interval.name === MINUTE)!
  const changes = newChanges()
  // Minutes that are not there were halted: the exchange made no bars then, and neither do we.
  if (bars.reachedTime === 0) bars.reachedTime = minute.openTime
  else if (minute.openTime > bars.reachedTime) advance(bars, minute.openTime, changes, false, true)
  series.live = { ...minute, state: 'live' }
  bars.lastPrice = minute.close
  if (minute.tradeCount > 0) bars.lastTradeId = minute.lastTradeId
  advance(bars, minute.openTime + MINUTE_MS, changes, false, true)
}
