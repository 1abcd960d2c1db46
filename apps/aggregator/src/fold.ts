import { encodeExactBar, encodeUpdate, type IntervalBar, type SymbolUpdate } from '@chart/grpc'
import {
  applyRestatement,
  applyTrade,
  applyWatermark,
  type Bar,
  type BarChanges,
  type BarText,
  type Interval,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type Scales,
  type SymbolBars,
  symbolBarsOfText,
  textOfBar,
  unpackTrades,
} from '@chart/market'
import type { BarBatch, LogBlock, LogEntry, PartitionPosition, SymbolBatch } from '@chart/redis'

/**
 * What the aggregator makes of log entries: a pure step from bars and entries to bars and one batch to commit. Everything
 * that leaves (bar hashes, outbox, update) is formatted once per batch and changed bar, never per trade.
 */

/** What one batch did, for the metrics. */
export interface FoldCounts {
  trades: number
  duplicates: number
  missing: number
  late: number
  beyondReach: number
  closed: number
  corrected: number
}

interface Touched {
  readonly bars: SymbolBars
  readonly changes: BarChanges
  readonly runs: Uint8Array[]
}

/** The log does not follow on from the bars: entries are missing, or bars were lost. It must be appended again. */
export class LostStateError extends Error {
  override name = 'LostStateError'
}

/**
 * Folds `entries`, which follow on from `at`, into `symbols` (changed in place) and gives the batch to commit.
 * @param entries at least one, numbers following on without a jump
 * @param traceparent goes along with the update
 * @throws LostStateError
 */
export function foldEntries(
  symbols: Map<string, SymbolBars>,
  at: PartitionPosition,
  entries: readonly LogEntry[],
  options: { intervals: readonly Interval[]; persistedIntervals: ReadonlySet<string> },
  traceparent?: string,
): { batch: BarBatch; counts: FoldCounts } {
  const touched = new Map<string, Touched>()
  const counts: FoldCounts = { trades: 0, duplicates: 0, missing: 0, late: 0, beyondReach: 0, closed: 0, corrected: 0 }
  for (const entry of entries) {
    for (const block of entry.blocks) {
      if (isEmptyRestatement(symbols, block)) continue
      const bars = barsOfBlock(symbols, block, options.intervals)
      let of = touched.get(block.symbol)
      if (of === undefined) {
        of = { bars, changes: newChanges(), runs: [] }
        touched.set(block.symbol, of)
      }
      applyBlock(of, block, counts)
    }
  }
  const batches: SymbolBatch[] = []
  const updates: SymbolUpdate[] = []
  for (const of of touched.values()) {
    const { batch, update } = formatSymbol(of, options.persistedIntervals, counts)
    batches.push(batch)
    updates.push(update)
  }
  const last = entries[entries.length - 1]!
  const update = encodeUpdate({ position: last.n, previousPosition: at.pos, symbols: updates, traceparent })
  return { batch: { at, newPos: last.n, nonce: last.nonce, symbols: batches, update }, counts }
}

/** The bars that a block belongs to; its seed begins them. */
function barsOfBlock(symbols: Map<string, SymbolBars>, block: LogBlock, intervals: readonly Interval[]): SymbolBars {
  const known = symbols.get(block.symbol)
  if (known !== undefined) return known
  if (block.seed === undefined) throw new LostStateError(`the bars of ${block.symbol} are lost`)
  const { lastTradeId, sinceTime, scales, begun } = block.seed
  const bars =
    begun === undefined
      ? newSymbolBars(block.symbol, intervals, scales, lastTradeId, sinceTime)
      : symbolBarsOfText(block.symbol, intervals, begun)
  symbols.set(block.symbol, bars)
  return bars
}

/** A restated bar of a symbol that has no bars (any more), or one that cannot be read, concerns nobody. */
function isEmptyRestatement(symbols: ReadonlyMap<string, SymbolBars>, block: LogBlock): boolean {
  const isTrades = block.seed !== undefined || block.packed !== undefined || block.watermark > 0
  return !isTrades && (block.restated === undefined || !symbols.has(block.symbol))
}

function applyBlock(of: Touched, block: LogBlock, counts: FoldCounts): void {
  if (block.restated !== undefined) applyRestatement(of.bars, block.restated, of.changes)
  if (block.packed !== undefined) {
    const { trades } = unpackTrades(block.packed)
    checkFollowsOn(of.bars, block, trades[0]!.tradeId)
    let fillSilence = !block.afterHalt
    for (const trade of trades) {
      applyTrade(of.bars, trade, of.changes, fillSilence)
      fillSilence = true
    }
    counts.trades += trades.length
    of.runs.push(block.packed)
  }
  if (block.watermark > 0) applyWatermark(of.bars, block.watermark, of.changes)
}

/** The exchange's own holes are marked; any other jump means that bars and log do not belong together any more. */
function checkFollowsOn({ symbol, lastTradeId }: SymbolBars, block: LogBlock, firstTradeId: number): void {
  if (firstTradeId <= lastTradeId + 1 || block.holeBefore) return
  throw new LostStateError(`the log goes on with trade ${firstTradeId} of ${symbol}, the bars end at ${lastTradeId}`)
}

function formatSymbol(
  { bars, changes, runs }: Touched,
  persistedIntervals: ReadonlySet<string>,
  counts: FoldCounts,
): { batch: SymbolBatch; update: SymbolUpdate } {
  const live = liveBarsOf(bars).flatMap((bar, index) => {
    const series = bars.series[index]!
    if (bar === undefined || !series.changed) return []
    series.changed = false
    return [bar]
  })
  const closed = changes.closed.map(bar => textOfBar(bar, bars.scales))
  const corrected = closed.filter(bar => bar.revision > 0).length
  counts.duplicates += changes.duplicates
  counts.missing += changes.missing
  counts.late += changes.late
  counts.beyondReach += changes.beyondReach.length
  counts.closed += closed.length - corrected
  counts.corrected += corrected
  return {
    batch: {
      bars,
      closedIntervals: new Set(closed.map(({ interval }) => interval)),
      live: live.map(bar => textOfBar(bar, bars.scales)),
      stored: newestOf(closed.filter(bar => persistedIntervals.has(bar.interval))),
    },
    update: {
      symbol: bars.symbol,
      throughTradeId: bars.lastTradeId,
      throughTime: bars.reachedTime,
      live: live.map(bar => intervalBarOf(bar, bars.scales)),
      closed: changes.closed.map(bar => intervalBarOf(bar, bars.scales)),
      trades: runs,
    },
  }
}

function intervalBarOf(bar: Bar, scales: Scales): IntervalBar {
  return {
    interval: bar.interval,
    openTime: bar.openTime,
    corrected: bar.revision > 0,
    bar: encodeExactBar(bar, scales),
  }
}

/** The last revision of each bar: a burst of late trades restates one bar with every trade. */
function newestOf(bars: readonly BarText[]): BarText[] {
  return [...new Map(bars.map(bar => [`${bar.interval} ${bar.openTime}`, bar])).values()]
}
