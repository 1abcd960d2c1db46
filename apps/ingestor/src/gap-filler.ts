import { type ExchangeRest, type TradePage, tradesFrom } from '@chart/binance'
import { delay, type Log } from '@chart/service'
import type { Metrics } from './metrics.ts'
import type { SymbolFeed } from './symbol-feed.ts'

/** While this much of what a symbol may hold waits for Redis, nothing is fetched. */
const UNSTORED_PAUSE = 1 / 2
/** How often a paused backfill looks again. */
const PAUSE_MS = 50
/**
 * After an answer that did not reach as far as what was seen on the socket: REST lags behind it by some ms. Doubled each time that
 * nothing came, so that an id that the exchange never shows costs no more than a request every few seconds.
 */
const LAG_MS = 200
const LAG_MAX_MS = 10_000
/** After an error that asking again cannot cure. */
const ERROR_PAUSE_MS = 5_000

export interface GapFillerOptions {
  readonly rest: ExchangeRest
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
    if (this.#filling.has(feed) || !feed.hasGap || this.#options.signal.aborted) return
    this.#filling.add(feed)
    this.#options.metrics.gaps.inc()
    void this.#fillAll(feed)
  }

  /** Never fails. */
  async #fillAll(feed: SymbolFeed): Promise<void> {
    const { signal, log } = this.#options
    const { sequence, symbol } = feed
    log.info({ symbol, from: sequence.gapStart, until: sequence.seenId }, 'fetching missing trades')
    let lagMs = LAG_MS
    try {
      while (feed.hasGap && !signal.aborted) {
        const from = sequence.gapStart!
        await this.#fillFrom(feed, from)
        if (sequence.gapStart !== from) lagMs = LAG_MS
        else {
          await delay(lagMs, signal)
          lagMs = Math.min(lagMs * 2, LAG_MAX_MS)
        }
      }
    } catch (error) {
      if (!signal.aborted) log.error({ symbol, err: error }, 'missing trades cannot be fetched; trying again')
      await delay(ERROR_PAUSE_MS, signal)
    } finally {
      this.#filling.delete(feed)
    }
  }

  /** Takes what the exchange has from id `from` on, for as long as it is what the sequence waits for. */
  async #fillFrom(feed: SymbolFeed, from: number): Promise<void> {
    const { rest, signal, log } = this.#options
    const { sequence, symbol } = feed
    let nextId = from
    for await (const page of tradesFrom(rest, symbol, from, { signal, untilId: sequence.seenId, log })) {
      // A hole is told of the ids from nextId on. The sequence may stand elsewhere by now: a log that lost its tail moved it
      // back, a late trade on. Taken for a hole from there, it would swallow trades that exist.
      if (page.holeUpTo !== undefined && sequence.gapStart !== nextId) return
      this.#take(feed, page)
      nextId = (page.holeUpTo ?? nextId) + page.trades.length
      while (sequence.unstoredCount > feed.heldTradesMax * UNSTORED_PAUSE && !signal.aborted)
        await delay(PAUSE_MS, signal)
      if (signal.aborted || !feed.hasGap) return
    }
  }

  #take(feed: SymbolFeed, page: TradePage): void {
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
