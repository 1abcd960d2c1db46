import { setImmediate, setTimeout } from 'node:timers/promises'
import { type Clock, VirtualClock, wallClock } from './clock.ts'
import { aggregateFrame, aggregateTrades, bookTickerFrame } from './frames.ts'
import { KlinePulses } from './kline-pulses.ts'
import { Klines } from './klines.ts'
import type { Market } from './market.ts'
import { type HubLimits, StreamHub } from './stream-hub.ts'
import { Tape } from './tape.ts'
import { type TradeFaults, textOfTradeFrame } from './trade-faults.ts'

/** How often due trades are sent, ms of the wall's clock. */
const tickMs = 5
/** After a pause of the whole process longer than this, trades of the pause are known by REST but not sent any more, ms. */
const catchUpMsMax = 60_000

export interface ExchangeOptions {
  readonly market: Market
  readonly clock: Clock
  readonly limits: HubLimits
  readonly faults: TradeFaults
  /** A virtual clock waits for the first subscriber of trades. */
  readonly hold: boolean
}

/** Seconds to come are made ahead, a few symbols each tick, so that they do not all fall on the stroke of the second. */
const preparedPerTick = 1 / 100

interface SymbolStreams {
  readonly tape: Tape
  readonly trade: string
  readonly aggregate: string
  readonly book: string
}

/** The exchange at work: lets time pass over the market, and sends what comes of it. */
export class Exchange {
  readonly market: Market
  readonly clock: Clock
  readonly hub: StreamHub
  readonly faults: TradeFaults
  readonly tapes = new Map<string, Tape>()
  readonly klines = new Map<string, Klines>()
  readonly #streams: SymbolStreams[] = []
  readonly #pulses: KlinePulses
  readonly #haltedUntil = new Map<string, number>()
  readonly #stopping = new AbortController()
  /** Every trade with an event time before it has been sent. */
  #time: number
  #timer: NodeJS.Timeout | undefined
  #nextToPrepare = 0
  #playing: Promise<void> | undefined

  constructor(options: ExchangeOptions) {
    this.market = options.market
    this.clock = options.clock
    this.faults = options.faults
    this.#time = options.clock.now()
    for (const [symbol, history] of options.market.histories) {
      const tape = new Tape(history, this.#time)
      this.tapes.set(symbol, tape)
      this.klines.set(symbol, new Klines(tape))
      const name = symbol.toLowerCase()
      this.#streams.push({ tape, trade: `${name}@trade`, aggregate: `${name}@aggTrade`, book: `${name}@bookTicker` })
    }
    this.hub = new StreamHub(options.limits, stream => {
      if (options.hold && this.#isTradeStream(stream)) this.#startClock()
    })
    this.#pulses = new KlinePulses(this.hub, this.tapes, this.klines)
    if (!options.hold) this.#startClock()
  }

  /** The exchange's time. */
  now(): number {
    return Math.max(this.#time, this.clock.now())
  }

  tape(symbol: string): Tape {
    const tape = this.tapes.get(symbol)
    if (!tape) throw new RangeError(`unknown symbol ${symbol}; there are ${[...this.tapes.keys()].join(', ')}`)
    return tape
  }

  /** Stops trading of a symbol, for `ms` of the exchange's time or until `resume`. */
  halt(symbol: string, ms: number): void {
    this.tape(symbol).halt()
    this.#haltedUntil.set(symbol, this.#time + ms)
  }

  resume(symbol: string): void {
    this.tape(symbol).resume()
    this.#haltedUntil.delete(symbol)
  }

  resumeAll(): void {
    for (const symbol of [...this.#haltedUntil.keys()]) this.resume(symbol)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#timer)
    this.hub.terminateAll()
    await this.#playing
  }

  #isTradeStream(stream: string): boolean {
    const [lowerCase, kind] = stream.split('@')
    return (kind === 'trade' || kind === 'aggTrade') && this.tapes.has(lowerCase!.toUpperCase())
  }

  #startClock(): void {
    if (this.#timer || this.#playing || this.#stopping.signal.aborted) return
    if (this.clock instanceof VirtualClock) {
      this.clock.start()
      if (this.clock.speed === Number.POSITIVE_INFINITY) {
        this.#playing = this.#playThrough(this.clock)
        return
      }
    }
    this.#timer = setInterval(() => {
      this.#advanceTo(this.clock.now())
      this.#prepareAhead()
    }, tickMs)
  }

  /** Makes the next second of a few symbols that are listened to; after a hundred ticks, of all. */
  #prepareAhead(): void {
    for (let turn = Math.ceil(this.#streams.length * preparedPerTick); turn > 0; turn--) {
      const streams = this.#streams[this.#nextToPrepare]!
      this.#nextToPrepare = (this.#nextToPrepare + 1) % this.#streams.length
      if (this.#isWanted(streams)) streams.tape.history.prepare(this.#time + 1000)
    }
  }

  #isWanted({ trade, aggregate, book }: SymbolStreams): boolean {
    return this.hub.has(trade) || this.hub.has(aggregate) || this.hub.has(book)
  }

  /** Plays second after second as fast as the sockets drain; at the end the clock goes on at the wall's pace. */
  async #playThrough(clock: VirtualClock): Promise<void> {
    const { signal } = this.#stopping
    while (this.#time < this.market.endTime && !signal.aborted) {
      if (!this.hub.drained) {
        await setTimeout(1)
        continue
      }
      const next = Math.min(this.market.endTime, (Math.floor(this.#time / 1000) + 1) * 1000)
      clock.moveTo(next)
      this.#advanceTo(next)
      await setImmediate()
    }
    if (signal.aborted) return
    clock.runAtWallPace()
    this.#timer = setInterval(() => this.#advanceTo(clock.now()), tickMs)
  }

  /** Lets time pass, stopping at every second for the klines: a kline closes after its trades. */
  #advanceTo(to: number): void {
    if (to <= this.#time) return
    if (this.clock === wallClock && to - this.#time > catchUpMsMax) this.#moveTo(to)
    this.hub.inOnePacket(() => {
      while (this.#time < to) {
        for (const [symbol, until] of this.#haltedUntil) if (until <= this.#time) this.resume(symbol)
        const from = this.#time
        this.#moveTo(Math.min(to, (Math.floor(from / 1000) + 1) * 1000))
        for (const streams of this.#streams) if (this.#isWanted(streams)) this.#sendTrades(streams, from)
        if (this.#time % 1000 === 0) this.#pulses.pulse(this.#time, this.#sendTime())
      }
    })
  }

  #moveTo(time: number): void {
    this.#time = time
    for (const tape of this.tapes.values()) tape.advanceTo(time)
  }

  /** The event time of a frame sent now. */
  #sendTime(): number {
    return this.market.recorded ? this.#time : Math.max(this.#time, this.clock.now())
  }

  #sendTrades({ tape, ...streams }: SymbolStreams, from: number): void {
    const { hub } = this
    const trades = tape.sentBetween(from, this.#time)
    if (trades.length === 0) return
    const sendTime = this.#sendTime()
    const eventTimeOf = (trade: { eventTime: number }) => (this.market.recorded ? trade.eventTime : sendTime)
    if (hub.has(streams.trade)) {
      const frames = this.faults.apply(tape.symbol, trades)
      hub.publish(streams.trade, factor =>
        frames.map(frame => textOfTradeFrame(frame, tape.symbol, eventTimeOf(frame.trade), factor)),
      )
    }
    hub.publish(streams.aggregate, factor =>
      aggregateTrades(trades).map(trade => aggregateFrame(tape.symbol, trade, eventTimeOf(trade), factor)),
    )
    hub.publish(streams.book, () => [bookTickerFrame(tape.history.rules, trades.at(-1)!)])
  }
}
