import { type BinanceRest, tradesFrom } from '@chart/binance'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import { type SymbolFeed, UNSTORED_TRADES_MAX } from './symbol-feed.ts'

/** While this many trades of a symbol wait for Redis, none are fetched. */
const UNSTORED_PAUSE = UNSTORED_TRADES_MAX / 2
/** How often a paused backfill looks again. */
const PAUSE_MS = 50
/** After an answer that did not reach as far as what was seen on the socket: REST lags behind it by some ms. */
const LAG_MS = 200

export interface GapFillerOptions {
  readonly rest: BinanceRest
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  /** Trades were added in order. */
  onAdded(feed: SymbolFeed): void
}

/**
 * Fetches missing trades by id, for each symbol with a gap one request at a time; the REST client's weight budget orders the
 * symbols among each other. A symbol waits for its own gap only.
 */
export class GapFiller {
  readonly #options: GapFillerOptions
  readonly #filling = new Set<SymbolFeed>()

  constructor(options: GapFillerOptions) {
    this.#options = options
  }

  /** Begins to fill the gap of `feed`, if it has one and that is not being done. */
  fill(feed: SymbolFeed): void {
    if (this.#filling.has(feed) || feed.sequence.gapStart === undefined) return
    this.#filling.add(feed)
    this.#options.metrics.gaps.inc()
    this.#fillAll(feed)
      .catch(error => {
        if (this.#options.signal.aborted) return
        this.#options.log.error({ symbol: feed.symbol, err: error }, 'backfill ended')
      })
      .finally(() => this.#filling.delete(feed))
  }

  async #fillAll(feed: SymbolFeed): Promise<void> {
    const { rest, signal, log } = this.#options
    const { sequence, symbol } = feed
    log.info({ symbol, from: sequence.gapStart, until: sequence.seenId }, 'fetching missing trades')
    for (;;) {
      const from = sequence.gapStart
      if (from === undefined || signal.aborted) return
      for await (const page of tradesFrom(rest, symbol, from, { signal, untilId: sequence.seenId, log })) {
        this.#take(feed, page)
        while (sequence.unstoredCount > UNSTORED_PAUSE && !signal.aborted) await delay(PAUSE_MS, signal)
        if (signal.aborted || sequence.gapStart === undefined) break
      }
      if (sequence.gapStart === from) await delay(LAG_MS, signal)
    }
  }

  #take(feed: SymbolFeed, page: { trades: readonly Parameters<SymbolFeed['receive']>[0][]; holeUpTo?: number }): void {
    const { metrics, log, onAdded } = this.#options
    if (page.holeUpTo !== undefined) {
      metrics.holes.inc()
      log.warn({ symbol: feed.symbol, upTo: page.holeUpTo }, 'the exchange itself has no trades before this id')
      feed.sequence.confirmHole(page.holeUpTo)
    }
    let added = 0
    for (const trade of page.trades) if (feed.sequence.offer(trade) === 'added') added++
    metrics.backfilled.inc(added)
    onAdded(feed)
  }
}
