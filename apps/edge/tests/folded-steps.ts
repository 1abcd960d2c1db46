import { decodeUpdate, encodeBar, encodeUpdate, type SymbolUpdate } from '@chart/grpc'
import {
  applyTrade,
  applyWatermark,
  type Bar,
  type BarText,
  liveBarsOf,
  newChanges,
  packTrades,
  type SymbolBars,
  type Trade,
  textOfBar,
} from '@chart/market'
import type { SymbolBatch } from '@chart/redis'

/** For tests only: what an aggregator makes of a batch, by the rules of libs/market. */

export type Step = Trade | { readonly watermark: number }

export interface FoldedSteps {
  readonly batch: SymbolBatch
  readonly update: SymbolUpdate
  /** Bars that closed or were corrected, of every interval. */
  readonly closed: readonly BarText[]
}

/** Folds `steps` into `bars` (changed in place) and gives what is committed and what is published. */
export function foldSteps(bars: SymbolBars, steps: readonly Step[]): FoldedSteps {
  const changes = newChanges()
  const runs: Trade[][] = []
  for (const step of steps) {
    if ('watermark' in step) applyWatermark(bars, step.watermark, changes)
    else {
      const run = runs[runs.length - 1]
      if (run?.[run.length - 1]?.tradeId === step.tradeId - 1) run.push(step)
      else runs.push([step])
      applyTrade(bars, step, changes)
    }
  }
  const live = liveBarsOf(bars).flatMap((bar, index) => {
    const series = bars.series[index]!
    if (bar === undefined || !series.changed) return []
    series.changed = false
    return [textOfBar(bar, bars.scales)]
  })
  const closed = changes.closed.map(bar => textOfBar(bar, bars.scales))
  const update: SymbolUpdate = {
    symbol: bars.symbol,
    throughTradeId: bars.lastTradeId,
    throughTime: bars.reachedTime,
    live: live.map(intervalBarOf),
    closed: closed.map(intervalBarOf),
    trades: runs.map(run => packTrades(run, bars.scales)),
  }
  const bytes = encodeUpdate({ position: 1, previousPosition: 0, symbols: [update] })
  return {
    batch: {
      bars,
      closedIntervals: new Set(closed.map(({ interval }) => interval)),
      live,
      stored: closed.filter(bar => bar.interval !== '1s'),
    },
    update: decodeUpdate(bytes).symbols[0]!,
    closed,
  }
}

function intervalBarOf(bar: BarText) {
  return { interval: bar.interval, openTime: bar.openTime, corrected: bar.revision > 0, bar: encodeBar(bar) }
}

/** The live bar of one interval; undefined before the first trade. */
export function liveBarOf(bars: SymbolBars, interval: string): Bar | undefined {
  return liveBarsOf(bars)[bars.series.findIndex(series => series.interval.name === interval)]
}
