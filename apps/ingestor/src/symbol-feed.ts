import { type FeedState, type Scales, type Trade, TradeSequence } from '@chart/market'
import type { AppendBlock } from '@chart/redis'

/**
 * Trades of one symbol kept after they were stored: 60 s and more at 300 trades a second, so that a takeover or a Redis that
 * lost its last seconds needs no request to the exchange. About 2 MB when full.
 */
export const RING_TRADES_MAX = 20_000
/** Trades of one symbol that wait behind a gap; the rest is fetched from the exchange after it. */
const WAITING_TRADES_MAX = 20_000
/** Trades of one symbol that wait for Redis; the rest is fetched from the exchange when Redis is back. */
export const UNSTORED_TRADES_MAX = 20_000
/** Trades of one symbol in one log entry: 500 amortise the append, more only delay the other symbols of the entry. */
const BLOCK_TRADES_MAX = 500

/**
 * Everything the ingestor knows of one symbol's feed: its trades in order, and whether a watermark may be promised. Values and
 * rules only; whoever moves the trades is in ingest.ts.
 */
export class SymbolFeed {
  readonly symbol: string
  readonly tag: string
  readonly scales: Scales
  readonly sequence = new TradeSequence({ ringTradesMax: RING_TRADES_MAX, waitingTradesMax: WAITING_TRADES_MAX })
  /** The exchange has stopped trading it. */
  halted = false
  /** Since the feed was last connected, an id of the exchange has shown that nothing before it is missing unnoticed. */
  verified = false
  /** The feed as a whole is heard. */
  heard = false
  /** Last watermark that the log took. */
  #storedWatermark = 0
  #afterHalt = false

  constructor(symbol: string, tag: string, scales: Scales) {
    this.symbol = symbol
    this.tag = tag
    this.scales = scales
  }

  /** Takes a trade from the socket: it also proves that every earlier one is here or known to be missing. */
  receive(trade: Trade): 'added' | 'duplicate' | 'waiting' | 'refused' {
    this.verified = true
    if (this.sequence.unstoredCount >= UNSTORED_TRADES_MAX) {
      this.sequence.noteSeen(trade.tradeId)
      return 'refused'
    }
    return this.sequence.offer(trade)
  }

  /** The newest id that the exchange has, asked for after the feed was connected. */
  verify(newestTradeId: number | undefined): void {
    if (newestTradeId !== undefined) this.sequence.noteSeen(newestTradeId)
    this.verified = true
  }

  setHalted(halted: boolean): void {
    if (this.halted && !halted) this.#afterHalt = true
    this.halted = halted
  }

  get state(): FeedState {
    if (!this.heard) return 'stale'
    if (this.halted) return 'halted'
    return this.verified && this.sequence.gapStart === undefined ? 'live' : 'backfilling'
  }

  /**
   * What is to be appended now, or undefined when there is nothing. The watermark goes along only when these are all the trades
   * there are: no gap, nothing left for the next entry, the feed heard and verified, the symbol trading.
   * @param watermark the newest that the feed's clock allows
   */
  nextBlock(watermark: number): AppendBlock | undefined {
    const { storedId } = this.sequence
    if (storedId === undefined) return undefined
    const { trades, holeBefore } = this.sequence.nextRun(BLOCK_TRADES_MAX)
    const allTaken = trades.length === this.sequence.unstoredCount
    const promised = this.state === 'live' && allTaken && watermark > this.#storedWatermark ? watermark : 0
    if (trades.length === 0 && promised === 0) return undefined
    return {
      symbol: this.symbol,
      expectedTradeId: storedId,
      trades,
      scales: this.scales,
      holeBefore,
      afterHalt: this.#afterHalt && trades.length > 0,
      watermark: promised,
      feedState: this.state,
    }
  }

  /** The log took `block`. */
  markStored(block: AppendBlock): void {
    const last = block.trades[block.trades.length - 1]
    if (last !== undefined) {
      this.sequence.markStored(last.tradeId)
      this.#afterHalt = false
    }
    if (block.watermark > 0) this.#storedWatermark = block.watermark
  }

  /** The log says that this trade id is its last; watermarks may have been lost with its tail. */
  alignTo(tradeId: number): void {
    this.sequence.alignTo(tradeId)
    this.#storedWatermark = 0
  }
}
