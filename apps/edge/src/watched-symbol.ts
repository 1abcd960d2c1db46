import type { BarVersion, SeriesPosition, SymbolUpdate } from '@chart/grpc'
import { type BarText, type Interval, type Scales, type Trade, unpackTrades } from '@chart/market'
import type { KeptBar } from './recent-bars.ts'
import { gapEventOf, type LiveEvent, type SeriesEvent, seriesKeyOf } from './series-event.ts'
import { SeriesFold, type Wanted } from './series-fold.ts'
import type { StoredBars } from './symbol-bars.ts'

/** What changed of one series, for each kind of subscriber. */
export interface SeriesChange {
  readonly key: string
  readonly everyTrade: readonly SeriesEvent[]
  readonly latest: readonly SeriesEvent[]
}

/** Closed bars from between those told and those that the symbol's state keeps. */
export interface OlderBars {
  readonly bars: readonly BarText[]
  /** Bars that could not be had; the others are newer. */
  readonly gap: { readonly startTime: number; readonly endTime: number } | undefined
}

/** What is known of one series at one moment. */
export interface KnownSeries {
  /** The newest closed bars without a hole, oldest first. */
  readonly run: readonly KeptBar[]
  /** Older ones that were corrected, oldest first. */
  readonly corrected: readonly KeptBar[]
  /** Every closed bar that opens at or after this is in `run`; infinite when no bar is known at all. */
  readonly coveredFrom: number
}

interface WatchedSeries {
  readonly interval: Interval
  readonly key: string
  readonly fold: SeriesFold
}

/** How many corrections a position tells; a client that comes back with fewer is told the others again. */
const POSITION_CORRECTED_MAX = 64

/** The bars of one symbol as this edge follows them: a fold for each series, and how far the symbol's trades have come. */
export class WatchedSymbol {
  readonly symbol: string
  readonly tag: string
  readonly series: readonly WatchedSeries[]
  /**
   * `following`: updates are applied as they come. `reading`: the bars are being read; updates wait in `early`. `outdated`: an update
   * was missed after that reading began, so it is not the last one.
   */
  state: 'following' | 'reading' | 'outdated' = 'reading'
  early: SymbolUpdate[] = []
  ready: Promise<void> = Promise.resolve()
  /** Every trade up to this id is in the folds, and the exchange time that they have reached. */
  #throughTradeId = -1
  #throughTime = 0
  /** From this trade on no update was missed. */
  #followedFrom = Number.POSITIVE_INFINITY

  constructor(symbol: string, tag: string, intervals: readonly Interval[], isStored: (interval: string) => boolean) {
    this.symbol = symbol
    this.tag = tag
    this.series = intervals.map(interval => ({
      interval,
      key: seriesKeyOf(symbol, interval.name),
      fold: new SeriesFold(interval, isStored(interval.name)),
    }))
  }

  #fold(interval: string): SeriesFold {
    return this.series.find(one => one.interval.name === interval)!.fold
  }

  /** The live bar for a subscriber that joins now; undefined before the first trade. */
  snapshot(interval: string): LiveEvent | undefined {
    return this.#fold(interval).snapshot(this.#throughTradeId)
  }

  known(interval: string): KnownSeries {
    const { recent, live } = this.#fold(interval)
    const run = recent.run()
    const coveredFrom = run[0]?.version.openTime ?? live?.openTime ?? Number.POSITIVE_INFINITY
    return { run, corrected: recent.corrected(), coveredFrom }
  }

  /** Whether every correction since a client had `version` was told here, and is still at hand. */
  hasCorrectionsSince(interval: string, version: BarVersion): boolean {
    return version.lastTradeId >= this.#followedFrom && !this.#fold(interval).recent.overflown
  }

  /** Where a client stands that was told everything; undefined before the first bar. */
  position(interval: string): SeriesPosition | undefined {
    const fold = this.#fold(interval)
    const run = fold.recent.run()
    const closed = run.at(-1)?.version
    const { live } = fold
    const isLive = live !== undefined && (closed === undefined || live.openTime > closed.openTime)
    if (!isLive && closed === undefined) return undefined
    const newest: BarVersion = isLive
      ? { openTime: live.openTime, state: 'live', revision: live.revision, lastTradeId: live.lastTradeId }
      : { ...closed!, state: 'closed' }
    const corrected = [...fold.recent.corrected(), ...run]
      .filter(({ version }) => version.revision > 0 && version.openTime < newest.openTime)
      .slice(-POSITION_CORRECTED_MAX)
      .map(({ version }): BarVersion => ({ ...version, state: 'closed' }))
    return { symbol: this.symbol, interval, newest, corrected }
  }

  /**
   * Redis fell back to an earlier state of itself, which is folded anew: clients are not taken back in time with it, and go on where the
   * updates pass what they know.
   */
  isAheadOf(stored: StoredBars): boolean {
    if (stored.throughTradeId !== this.#throughTradeId) return stored.throughTradeId < this.#throughTradeId
    return stored.throughTime < this.#throughTime
  }

  /** Takes bars as they were read; gives what subscribers lack, then each live bar as a snapshot. */
  restore(stored: StoredBars, older: ReadonlyMap<string, OlderBars>): SeriesChange[] {
    this.#throughTradeId = stored.throughTradeId
    this.#throughTime = stored.throughTime
    this.#followedFrom = stored.throughTradeId
    return this.series.map(({ interval, key, fold }) => {
      const { live, closed } = stored.series.get(interval.name) ?? { live: undefined, closed: [] }
      const { bars, gap } = older.get(interval.name) ?? { bars: [], gap: undefined }
      const events: SeriesEvent[] = fold.restore(live, [...bars, ...closed])
      if (gap !== undefined) events.unshift(gapEventOf({ symbol: this.symbol, interval: interval.name, ...gap }))
      const snapshot = this.snapshot(interval.name)
      if (snapshot !== undefined) events.push(snapshot)
      return { key, everyTrade: events, latest: events }
    })
  }

  /**
   * Takes an update.
   * @param wantedOf what the subscribers of a series are told of its live bar
   * @returns undefined when it told nothing new but perhaps corrections, which `corrections` gives
   */
  follow(update: SymbolUpdate, wantedOf: (key: string) => Wanted): SeriesChange[] | undefined {
    const through = this.#throughTradeId
    const { throughTradeId, throughTime } = update
    if (throughTradeId < through || (throughTradeId === through && throughTime <= this.#throughTime)) return undefined
    const wanted = this.series.map(({ key }) => wantedOf(key))
    const isWanted = wanted.some(one => one !== 'nothing')
    const { trades, scales } = isWanted ? newTradesOf(update, through) : NO_TRADES
    const changes = this.series.map(({ key, fold }, index) => ({
      key,
      ...fold.apply(update, trades, scales, through, wanted[index]!),
    }))
    this.#throughTradeId = throughTradeId
    this.#throughTime = Math.max(this.#throughTime, throughTime)
    return changes
  }

  /** What an update that is older than the bars may tell all the same: a bar that was restated long after its time. */
  corrections(update: SymbolUpdate): SeriesChange[] {
    return this.series.map(({ key, fold }) => {
      const events = fold.corrections(update)
      return { key, everyTrade: events, latest: events }
    })
  }

  /** Bars whose trade by trade result differed from the aggregator's. */
  get differing(): number {
    return this.series.reduce((sum, { fold }) => sum + fold.differing, 0)
  }
}

interface NewTrades {
  readonly trades: readonly Trade[]
  readonly scales: Scales | undefined
}

const NO_TRADES: NewTrades = { trades: [], scales: undefined }

function newTradesOf(update: SymbolUpdate, throughTradeId: number): NewTrades {
  const trades: Trade[] = []
  let scales: Scales | undefined
  for (const packed of update.trades) {
    const run = unpackTrades(packed)
    scales = run.scales
    for (const trade of run.trades) if (trade.tradeId > throughTradeId) trades.push(trade)
  }
  return { trades, scales }
}
