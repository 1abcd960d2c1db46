import { isSymbol, type Trade } from '@chart/market'
import { type Backoff, RECONNECT_BACKOFF } from './backoff.ts'
import { EventQueue } from './event-queue.ts'
import { FeedGroup } from './feed-group.ts'
import { FEED_LIMITS, type FeedLimits, SAMPLE_LENGTH_MAX, STREAMS_MAX } from './feed-limits.ts'
import { type Log, SILENT } from './log.ts'
import { SlidingWindow } from './sliding-window.ts'
import type { FeedMessage } from './trade-message.ts'

export type FeedEvent =
  /** As it came: in id order on one socket; repeated while two sockets overlap, or after a reconnect with a jump. */
  | { kind: 'trade'; symbol: string; trade: Trade; eventTime: number }
  /**
   * Everything that the exchange sent before `eventTime` (its clock) has been passed on, give or take the order among the streams of
   * one connection. With several connections it is the time that all of them have reached. Ascends while connected.
   */
  | { kind: 'pulse'; eventTime: number }
  /** Every symbol has a live socket (again). Trades may have come before; some may be missing since `disconnected`. */
  | { kind: 'connected' }
  /** At least one symbol has no live socket; with up to 1,023 symbols that is: there is none at all. */
  | { kind: 'disconnected'; reason: string }
  | { kind: 'malformed'; reason: string; sample: string }

export interface TradeFeedOptions {
  /** `wss://stream.binance.com:9443`, without a path. */
  streamUrl: string
  symbols: readonly string[]
  signal: AbortSignal
  /** A stream that always has something to say, on every connection: what tells a quiet market from a dead feed. */
  pulseStream?: string
  silenceMaxMs?: number
  ageMaxMs?: number
  log?: Log
  /** 0 ≤ r < 1, for jitter. */
  random?: () => number
  /** For tests, which have no time; see feed-limits.ts. */
  limits?: Partial<FeedLimits>
  backoff?: Backoff
}

const PULSE_STREAM = 'btcusdt@kline_1s'

/** Pulses out of our own trades, of which there can be thousands a second: one for each second of the exchange's clock. */
const OWN_PULSE_MS = 1_000

/**
 * The trades of `symbols` as the exchange sends them. Each step of the iteration gives everything that arrived since the last, in
 * order, at least one event. It dials at the first step, reconnects by itself for ever, and ends when the signal is aborted or the
 * consumer breaks off; by then every socket is closed. A consumer that does not come back pauses the sockets.
 * @throws RangeError for something that is no symbol
 */
export function openTradeFeed(options: TradeFeedOptions): AsyncIterable<readonly FeedEvent[]> {
  const symbols = [...new Set(options.symbols)]
  for (const symbol of symbols) if (!isSymbol(symbol)) throw new RangeError(`"${symbol}" is not a symbol`)
  return readFeed({ ...options, symbols })
}

async function* readFeed(options: TradeFeedOptions): AsyncGenerator<readonly FeedEvent[], void, undefined> {
  const limits: FeedLimits = {
    ...FEED_LIMITS,
    ...(options.silenceMaxMs !== undefined && { silenceMaxMs: options.silenceMaxMs }),
    ...(options.ageMaxMs !== undefined && { ageMaxMs: options.ageMaxMs }),
    ...options.limits,
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const queue = new EventQueue<FeedEvent>(limits.eventsWaitingMax)
  const groups = groupsOf(options, limits, queue)
  const running = Promise.all(groups.map(group => group.run(signal)))
  // A group ends before the signal only by a mistake of ours; the others must not go on without it.
  running.catch(() => stop.abort())
  try {
    for (;;) {
      const events = await queue.takeAll(signal)
      if (events === undefined) return
      yield events
    }
  } finally {
    stop.abort()
    await running
  }
}

/** One group for each connection that the streams need, each with a pulse stream of its own. */
function groupsOf(options: TradeFeedOptions, limits: FeedLimits, queue: EventQueue<FeedEvent>): FeedGroup[] {
  const { symbols, pulseStream = PULSE_STREAM } = options
  const merge = new FeedMerge(new Set(symbols), queue)
  const dials = new SlidingWindow(limits.connectionsMax, limits.connectionsWindowMs)
  const tradesMax = STREAMS_MAX - 1
  for (let start = 0; start === 0 || start < symbols.length; start += tradesMax) {
    const trades = symbols.slice(start, start + tradesMax).map(symbol => `${symbol.toLowerCase()}@trade`)
    const group = new FeedGroup({
      url: `${options.streamUrl.replace(/\/+$/, '')}/stream`,
      streams: [pulseStream, ...trades],
      limits,
      backoff: options.backoff ?? RECONNECT_BACKOFF,
      dials,
      queue,
      log: options.log ?? SILENT,
      random: options.random ?? Math.random,
      onMessage: (message, frame) => merge.onMessage(message, frame),
      onUp: () => merge.onUp(),
      onDown: reason => merge.onDown(reason),
    })
    merge.groups.push(group)
  }
  return merge.groups
}

/** Makes one feed of several groups. */
class FeedMerge {
  readonly groups: FeedGroup[] = []
  readonly #symbols: ReadonlySet<string>
  readonly #queue: EventQueue<FeedEvent>
  #connected = false
  #pulseTime = 0

  constructor(symbols: ReadonlySet<string>, queue: EventQueue<FeedEvent>) {
    this.#symbols = symbols
    this.#queue = queue
  }

  onMessage(message: FeedMessage, frame: Buffer): void {
    switch (message.kind) {
      case 'trade':
        // One of a symbol we did not ask for (the pulse stream's own, perhaps) tells the time and nothing else.
        if (this.#symbols.has(message.symbol)) {
          this.#queue.push(message)
          // Own trades tell the time as well, should the pulse stream have nothing to say; a pulse a second is enough.
          this.#pulse(OWN_PULSE_MS)
        } else this.#pulse()
        return
      case 'pulse':
        this.#pulse()
        return
      case 'malformed':
        this.#queue.push({ kind: 'malformed', reason: message.reason, sample: sampleOf(frame) })
        return
      case 'answer':
      case 'shutdown':
      case 'other':
        return
      default:
        message satisfies never
    }
  }

  onUp(): void {
    if (this.#connected || !this.groups.every(group => group.up)) return
    this.#connected = true
    this.#queue.push({ kind: 'connected' })
  }

  onDown(reason: string): void {
    if (!this.#connected) return
    this.#connected = false
    // The exchange's clock may stand elsewhere after an outage (it is a simulator's, started anew): ascend from there.
    this.#pulseTime = 0
    this.#queue.push({ kind: 'disconnected', reason })
  }

  #pulse(stepMs = 1): void {
    if (!this.#connected) return
    const reachedTime = this.#reachedTime()
    if (reachedTime < this.#pulseTime + stepMs) return
    this.#pulseTime = reachedTime
    this.#queue.push({ kind: 'pulse', eventTime: reachedTime })
  }

  /** What all connections have reached. A plain loop, since every trade asks. */
  #reachedTime(): number {
    let reachedTime = Number.POSITIVE_INFINITY
    for (const { leading } of this.groups) reachedTime = Math.min(reachedTime, leading?.reachedTime ?? 0)
    return reachedTime
  }
}

/** The beginning of a frame, fit for a log line: what is not printable ASCII is shown as a question mark. */
function sampleOf(frame: Buffer): string {
  return frame.toString('latin1', 0, SAMPLE_LENGTH_MAX).replace(/[^\x20-\x7e]/g, '?')
}
