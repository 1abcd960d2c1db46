import type { SymbolInfo } from '@chart/binance'
import { type FeedState, type Scales, type Trade, TradeSequence } from '@chart/market'
import type { AppendBlock } from '@chart/redis'

/**
 * Trades of one symbol that are kept after they were stored: 60 s and more at 300 trades a second, so that a takeover or a Redis that
 * lost its last seconds needs no request to the exchange. As many wait behind a gap at most, and for Redis; what is beyond that is
 * fetched from the exchange later. Full, it is 3.3 MB.
 */
export const HELD_TRADES_MAX = 20_000
/** The same over all symbols of a process, some 300 MB: with more than a hundred of them each keeps less. */
const ALL_HELD_TRADES_MAX = 2_000_000
/** However many symbols there are: less than a page of the exchange's would be asked for again and again. */
const HELD_TRADES_MIN = 1_000
/** Trades of one symbol in one log entry: 500 amortise the append, more only delay the other symbols of the entry. */
export const BLOCK_TRADES_MAX = 500
/**
 * Ids never leap while a feed is heard, and a busy symbol makes 300 trades a second: a leap of more is no trade id. Believed, it
 * would be a gap that nothing ever fills.
 */
const ID_LEAP_MAX = 1_000_000

/**
 * A symbol that was silent for this long may be halted, and the exchange makes no bars then: what comes after is promised only as far as
 * the exchange has said that it trades the symbol. Shorter silences are left alone, so that no bar of a busy symbol waits for an answer.
 */
const SILENCE_MAX_MS = 10_000
const SECOND_MS = 1_000

/** How many trades each of so many symbols may hold. */
export function heldTradesMaxOf(symbolCount: number): number {
  const share = Math.floor(ALL_HELD_TRADES_MAX / symbolCount)
  return Math.max(HELD_TRADES_MIN, Math.min(HELD_TRADES_MAX, share))
}

/**
 * Everything the ingestor knows of one symbol's feed: its trades in order, and whether a watermark may be promised. Values and
 * rules only; whoever moves the trades is in ingest.ts.
 */
export class SymbolFeed {
  readonly symbol: string
  readonly tag: string
  readonly scales: Scales
  readonly sequence: TradeSequence
  readonly heldTradesMax: number
  /** What the exchange said last. */
  info: SymbolInfo
  /** When an id of the exchange last came, by performance.now(): nothing before it is missing unnoticed. */
  provenTime = performance.now()
  /** The state that Redis holds, as far as we know. */
  writtenState: FeedState | undefined
  #heard = false
  /** Number of the feed's connection: what was asked before it proves nothing about what it missed. */
  #connection = 0
  /** Since the feed was last connected, an id of the exchange has come. */
  #verified = false
  /** What the trade log has told of the symbol: nothing yet, that it has none of its trades, or which is the last. */
  #logged: 'unknown' | 'unseeded' | 'seeded' = 'unknown'
  #halted = false
  /** Trade time of the newest trade that was heard, in whole seconds. */
  #lastTradeTime = 0
  /** Exchange time at which it was last said to trade the symbol. */
  #tradingThrough = 0
  #awaitsStatus = false
  /** The exchange had stopped trading after this id: the trade that follows it comes after a halt. */
  #haltedAfterId: number | undefined
  /** Last watermark that the log took. */
  #storedWatermark = 0

  /** @param heldTradesMax see heldTradesMaxOf */
  constructor(info: SymbolInfo, tag: string, heldTradesMax = HELD_TRADES_MAX) {
    this.heldTradesMax = heldTradesMax
    this.sequence = new TradeSequence({ ringTradesMax: heldTradesMax, waitingTradesMax: heldTradesMax })
    this.info = info
    this.symbol = info.symbol
    this.tag = tag
    this.scales = info.scales
    this.#halted = info.status !== 'TRADING'
  }

  /** The feed as a whole is heard. */
  get heard(): boolean {
    return this.#heard
  }

  get connection(): number {
    return this.#connection
  }

  get verified(): boolean {
    return this.#verified
  }

  /** The trade log has to be begun for the symbol. */
  get needsSeed(): boolean {
    return this.#logged === 'unseeded'
  }

  get halted(): boolean {
    return this.#halted
  }

  /** A watermark is held back until the exchange says whether it trades the symbol. */
  get awaitsStatus(): boolean {
    return this.#awaitsStatus
  }

  /** Some trades are known to be missing. */
  get hasGap(): boolean {
    return this.#logged === 'seeded' && this.sequence.gapStart !== undefined
  }

  get state(): FeedState {
    if (this.#halted) return 'halted'
    if (!this.#heard) return 'stale'
    return this.#logged === 'seeded' && this.#verified && !this.hasGap ? 'live' : 'backfilling'
  }

  connect(): void {
    this.#connection++
    this.#heard = true
    this.#verified = false
  }

  disconnect(): void {
    this.#heard = false
    this.#verified = false
  }

  /** Something of the exchange could not be read; it may have been the newest trade. An answer asked for before does not count. */
  doubt(): void {
    this.#connection++
    this.#verified = false
  }

  /**
   * Takes a trade from the socket: it also proves that every earlier one is here or known to be missing. `refused`: too many wait for
   * Redis, it is fetched later. `absurd`: its id cannot be one.
   */
  receive(trade: Trade): 'added' | 'duplicate' | 'waiting' | 'refused' | 'absurd' {
    const { seenId } = this.sequence
    if (this.#verified && seenId >= 0 && trade.tradeId > seenId + ID_LEAP_MAX) return 'absurd'
    // The exchange is asked but once a minute: a new trade tells earlier that the halt is over.
    if (trade.tradeId > seenId) this.#setHalted(false)
    this.#verified = true
    this.provenTime = performance.now()
    this.#lastTradeTime = Math.max(this.#lastTradeTime, trade.tradeTime - (trade.tradeTime % SECOND_MS))
    if (this.sequence.unstoredCount >= this.heldTradesMax) {
      this.sequence.noteSeen(trade.tradeId)
      return 'refused'
    }
    return this.sequence.offer(trade)
  }

  /**
   * The newest id that the exchange has, undefined when there never was a trade.
   * @param connection the one during which it was asked for
   */
  verify(newestTradeId: number | undefined, connection: number): void {
    if (!this.#heard || connection !== this.#connection) return
    if (newestTradeId !== undefined) this.sequence.noteSeen(newestTradeId)
    this.#verified = true
    this.provenTime = performance.now()
  }

  /**
   * What the exchange says when it is asked: whether it trades the symbol, so whether silence means anything.
   * @param askedTime exchange time, in whole seconds, that the feed had reached when it was asked
   */
  learn(info: SymbolInfo, askedTime: number): void {
    this.info = info
    this.#setHalted(info.status !== 'TRADING')
    if (!this.#halted) this.#tradingThrough = Math.max(this.#tradingThrough, askedTime)
    this.#awaitsStatus = false
  }

  #setHalted(halted: boolean): void {
    if (this.#halted && !halted && this.sequence.seenId >= 0) this.#haltedAfterId = this.sequence.seenId
    this.#halted = halted
  }

  /**
   * What is to be appended now, or undefined when there is nothing. The watermark goes along only when these are all the trades
   * there are: no gap, nothing left for the next entry, the feed heard and verified, the symbol trading.
   * @param watermark the newest that the feed's clock allows
   */
  nextBlock(watermark: number): AppendBlock | undefined {
    const { storedId } = this.sequence
    if (this.#logged !== 'seeded' || storedId === undefined) return undefined
    const { trades, holeBefore } = this.sequence.nextRun(this.#countMaxAfter(storedId))
    const allTaken = trades.length === this.sequence.unstoredCount
    // After a halt the next trade has to come first: a watermark alone would make flat bars of the time that was halted.
    const afterHaltOpen = (trades[trades.length - 1]?.tradeId ?? storedId) === this.#haltedAfterId
    const canPromise = this.state === 'live' && allTaken && !afterHaltOpen
    const heardThrough = this.#lastTradeTime === 0 ? 0 : this.#lastTradeTime + SILENCE_MAX_MS
    const provable = Math.min(watermark, Math.max(heardThrough, this.#tradingThrough))
    this.#awaitsStatus = canPromise && provable < watermark
    const promised = canPromise && provable > this.#storedWatermark ? provable : 0
    if (trades.length === 0 && promised === 0) return undefined
    return {
      symbol: this.symbol,
      expectedTradeId: storedId,
      trades,
      scales: this.scales,
      holeBefore,
      afterHalt: trades.length > 0 && storedId === this.#haltedAfterId,
      watermark: promised,
      feedState: this.state,
    }
  }

  /** A block that begins after a halt says so, so a block ends where a halt began. */
  #countMaxAfter(storedId: number): number {
    const untilHalt = (this.#haltedAfterId ?? 0) - storedId
    return untilHalt > 0 ? Math.min(untilHalt, BLOCK_TRADES_MAX) : BLOCK_TRADES_MAX
  }

  /** The log took `block`. */
  markStored(block: AppendBlock): void {
    const last = block.trades[block.trades.length - 1]
    if (last !== undefined) this.sequence.markStored(last.tradeId)
    if (block.watermark > 0) this.#storedWatermark = block.watermark
    this.writtenState = block.feedState
  }

  /** The log says that this trade id is its last; watermarks and states may have been lost with its tail. */
  alignTo(tradeId: number): void {
    this.sequence.alignTo(tradeId)
    this.#logged = 'seeded'
    this.#storedWatermark = 0
    this.writtenState = undefined
  }

  /** The log says that it has no trades of this symbol: nothing can be appended before it is seeded. */
  markUnseeded(): void {
    this.#logged = 'unseeded'
    this.writtenState = undefined
  }
}
