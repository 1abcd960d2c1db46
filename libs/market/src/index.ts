export {
  applyTradeToBar,
  type Bar,
  type BarProof,
  type BarState,
  type BarText,
  barOfText,
  barOfTrade,
  closeTimeOf,
  flatBar,
  isFlat,
  mergeBars,
  nextOpenTimeOf,
  textOfBar,
} from './bar.ts'
export { applyTrade, applyWatermark } from './bar-series.ts'
export {
  type BarStateText,
  closedRowsTextOf,
  closedTextOf,
  closedTextOfRows,
  liveTextOf,
  symbolBarsOfText,
} from './bar-state.ts'
export { symbolBarsOfMinutes } from './begun-bars.ts'
export { DecimalError, EXCHANGE_SCALES, formatDecimal, parseDecimal, quoteVolumeOf, type Scales } from './decimal.ts'
export {
  DEFAULT_INTERVALS,
  findInterval,
  type Interval,
  intervalOf,
  intervalsOf,
  KNOWN_INTERVALS,
  namesOf,
  openTimeOf,
} from './interval.ts'
export { type PackedTrades, packTrades, unpackTrades, VarintReader, VarintWriter } from './packed-trades.ts'
export { partitionOf, rankMembers } from './partition.ts'
export { applyRestatement } from './restated-bar.ts'
export { bigintOf, isSafe, numberOf } from './safe-integer.ts'
export { type FeedState, isSymbol } from './symbol.ts'
export {
  type BarChanges,
  type BarSeries,
  FLAT_RUN_MAX,
  keptMaxOf,
  liveBarsOf,
  newChanges,
  newSymbolBars,
  type SymbolBars,
} from './symbol-bars.ts'
export { type TakerSide, type Trade, tradeFault } from './trade.ts'
export { TradeSequence } from './trade-sequence.ts'
