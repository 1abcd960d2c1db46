import type { FeedEvent } from '@chart/binance'
import type { Exchange } from './exchange.ts'
import type { MarketTrade } from './market.ts'
import type { Random } from './random.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How often a message of a feed goes wrong. */
export interface FeedFaults {
  lost: number
  repeated: number
  reordered: number
  malformed: number
}

export const NO_FEED_FAULTS: Readonly<FeedFaults> = { lost: 0, repeated: 0, reordered: 0, malformed: 0 }

const LATENCY = { shortest: 1, mean: 6, longest: 120 }
/** A reordered message comes behind others by so much; a watermark waits half a second. */
const REORDERED_MS = { min: 1, max: 250 }
const REPEATED_MS = { min: 0, max: 900 }
const DIAL_MS = { min: 20, max: 300 }
const PULSE_MS = 1_000
/**
 * A trade may get lost without notice only when the symbol's next one, which shows it, comes within this time: what is found out
 * later than ten seconds cannot be mended any more in a bar of a second.
 */
const NOTICED_WITHIN_MS = 5_000

/**
 * The feed of one process: one connection at a time, on which messages come in the order sent. What the exchange tells while it is
 * down, stalled or deaf for a symbol does not come later.
 */
export class Feed {
  readonly faults: FeedFaults
  /** Nothing is heard, and no one is told. */
  stalled = false
  readonly deaf = new Set<string>()
  readonly #time: VirtualTime
  readonly #exchange: Exchange
  readonly #owner: SimulatedProcess
  readonly #random: Random
  readonly #tally: Tally
  readonly #onTrade: (symbol: string, tradeId: number) => void
  readonly #events: FeedEvent[] = []
  #wake: (() => void) | undefined
  /** Number of the present connection; 0 while there is none. */
  #connection = 0
  #connections = 0
  #arrival = 0

  constructor(options: {
    time: VirtualTime
    exchange: Exchange
    owner: SimulatedProcess
    random: Random
    tally: Tally
    faults: FeedFaults
    /** A trade has arrived. */
    onTrade(symbol: string, tradeId: number): void
  }) {
    this.#onTrade = options.onTrade
    this.faults = options.faults
    this.#time = options.time
    this.#exchange = options.exchange
    this.#owner = options.owner
    this.#random = options.random
    this.#tally = options.tally
  }

  /** What openFeed gives the ingestor. */
  async *open(symbols: readonly string[], signal: AbortSignal): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    this.#events.length = 0
    this.#dial(symbols)
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
    while (!signal.aborted) {
      if (this.#events.length === 0) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
      if (signal.aborted) break
      const events = this.#events.splice(0)
      if (events.length > 0) yield events
    }
    this.#connection = 0
  }

  /** The connection is cut; it is dialled again. */
  cut(symbols: readonly string[], downMs: number): void {
    if (this.#connection === 0) return
    this.#connection = 0
    this.#tally.add('disconnects')
    this.#deliver({ kind: 'disconnected', reason: 'simulated' })
    this.#time.after(downMs, () => this.#dial(symbols), this.#owner)
  }

  #dial(symbols: readonly string[]): void {
    const time = this.#time
    const open = () => {
      this.#connection = ++this.#connections
      this.#arrival = time.now
      this.stalled = false
      this.#deliver({ kind: 'connected' })
      for (const { symbol, trades } of this.#exchange.markets) {
        if (symbols.includes(symbol)) this.#stream(symbol, trades, this.#connection)
      }
      this.#pulse(this.#connection)
    }
    time.after(this.#random.integer(DIAL_MS.min, DIAL_MS.max), open, this.#owner)
  }

  /** Tells of every trade from now on, one event of the world at a time. */
  #stream(symbol: string, trades: readonly MarketTrade[], connection: number): void {
    let index = trades.findIndex(({ publishTime }) => publishTime >= this.#time.now)
    if (index < 0) return
    const next = () => {
      if (this.#connection !== connection || !this.#owner.alive) return
      const { publishTime } = trades[index]!
      while (index < trades.length && trades[index]!.publishTime === publishTime) {
        this.#tell(symbol, trades[index]!, trades[index + 1], connection)
        index++
      }
      if (index < trades.length) this.#time.at(trades[index]!.publishTime, next, undefined)
    }
    this.#time.at(trades[index]!.publishTime, next, undefined)
  }

  #tell(
    symbol: string,
    { trade, publishTime }: MarketTrade,
    following: MarketTrade | undefined,
    connection: number,
  ): void {
    const { faults } = this
    const random = this.#random
    const noticed = following !== undefined && following.publishTime < publishTime + NOTICED_WITHIN_MS
    if (this.stalled || (noticed && (this.deaf.has(symbol) || random.chance(faults.lost)))) {
      this.#tally.add('feed messages lost')
      return
    }
    const event: FeedEvent = { kind: 'trade', symbol, trade, eventTime: Math.floor(publishTime) }
    const arrival = this.#nextArrival()
    if (noticed && random.chance(faults.malformed)) {
      this.#tally.add('feed messages malformed')
      this.#deliverAt(arrival, { kind: 'malformed', reason: 'simulated', sample: symbol }, connection)
      return
    }
    const isReordered = random.chance(faults.reordered)
    if (isReordered) this.#tally.add('feed messages reordered')
    this.#deliverAt(arrival + (isReordered ? random.integer(REORDERED_MS.min, REORDERED_MS.max) : 0), event, connection)
    if (random.chance(faults.repeated)) {
      this.#tally.add('feed messages repeated')
      this.#deliverAt(arrival + random.integer(REPEATED_MS.min, REPEATED_MS.max), event, connection)
    }
  }

  #pulse(connection: number): void {
    const pulse = () => {
      if (this.#connection !== connection || !this.#owner.alive) return
      const eventTime = Math.floor(this.#time.now)
      if (!this.stalled) this.#deliverAt(this.#nextArrival(), { kind: 'pulse', eventTime }, connection)
      this.#time.after(PULSE_MS, pulse, undefined)
    }
    this.#time.after(this.#random.integer(0, PULSE_MS), pulse, undefined)
  }

  /** Behind everything that was sent on the connection before. */
  #nextArrival(): number {
    this.#arrival = Math.max(
      this.#arrival,
      this.#time.now + this.#random.latency(LATENCY.shortest, LATENCY.mean, LATENCY.longest),
    )
    return this.#arrival
  }

  #deliverAt(arrival: number, event: FeedEvent, connection: number): void {
    this.#time.at(arrival, () => this.#connection === connection && this.#deliver(event), this.#owner)
  }

  /** Runs as the owner. */
  #deliver(event: FeedEvent): void {
    if (event.kind === 'trade') this.#onTrade(event.symbol, event.trade.tradeId)
    this.#events.push(event)
    this.#wake?.()
  }
}
