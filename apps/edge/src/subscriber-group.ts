import type { BarStream } from '@chart/grpc'
import { type KeyedEvent, type Message, messagesOf, newestOf } from './keyed-event.ts'
import { isClosed, isLive, type LiveEvent, type SeriesEvent } from './series-event.ts'
import type { Wanted } from './series-fold.ts'
import { Subscriber, type SubscriberOptions } from './subscriber.ts'

export type StreamMode = 'every-trade' | 'latest' | 'closed'

export interface GroupOptions extends SubscriberOptions {
  readonly seriesKeys: readonly string[]
  readonly mode: StreamMode
  /** In the latest mode, at least so long between two live bars of a series; 0: every turn. */
  readonly updateGapMs: number
  /** Bytes that say where a client stands which was sent everything. */
  positions(): Uint8Array
}

/**
 * All calls with the same subscription. What changes in one turn of the event loop is put into one message, made once, and written
 * to each of them: on this stack a write costs tens of microseconds, whatever it carries.
 */
export class SubscriberGroup {
  readonly #options: GroupOptions
  readonly #subscribers = new Set<Subscriber>()
  #turn: KeyedEvent[] = []
  #isScheduled = false
  /** Live bars that wait for their time, and the time since which they may go. */
  readonly #waiting = new Map<string, LiveEvent>()
  #waitTimer: NodeJS.Timeout | undefined
  #liveTime = Number.NEGATIVE_INFINITY

  constructor(options: GroupOptions) {
    this.#options = options
  }

  get seriesKeys(): readonly string[] {
    return this.#options.seriesKeys
  }

  /** What our subscribers are told of live bars. */
  get wanted(): Wanted {
    const { mode } = this.#options
    return mode === 'closed' ? 'nothing' : mode
  }

  get size(): number {
    return this.#subscribers.size
  }

  /** Adds a call, which begins with `first`: it holds everything up to now. */
  join(stream: BarStream, first: readonly KeyedEvent[]): Subscriber {
    this.flush()
    const subscriber = new Subscriber(stream, this.#options)
    this.#subscribers.add(subscriber)
    for (const message of messagesOf(first)) subscriber.send(message)
    return subscriber
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    if (this.#subscribers.size === 0) clearTimeout(this.#waitTimer)
  }

  *subscribers(): Generator<Subscriber> {
    yield* this.#subscribers
  }

  /** Where a client of this group stands that was sent everything; call flush before. */
  positions(): Uint8Array {
    return this.#options.positions()
  }

  /** Something happened to a series of ours; it is sent at the end of the turn, or when its time has come. */
  push(key: string, event: SeriesEvent): void {
    const { mode, updateGapMs } = this.#options
    if (isLive(event)) {
      if (mode === 'closed') return
      if (updateGapMs > 0) {
        this.#wait(key, event)
        return
      }
    } else if (isClosed(event) && (this.#waiting.get(key)?.openTime ?? Number.POSITIVE_INFINITY) <= event.openTime) {
      this.#waiting.delete(key)
    }
    this.#turn.push({ key, event })
    this.#schedule()
  }

  #wait(key: string, event: LiveEvent): void {
    this.#waiting.set(key, event)
    if (this.#waiting.size > 1) return
    clearTimeout(this.#waitTimer)
    const dueMs = this.#liveTime + this.#options.updateGapMs - performance.now()
    this.#waitTimer = setTimeout(() => this.#sendWaiting(), Math.max(0, dueMs))
  }

  #sendWaiting(): void {
    this.#liveTime = performance.now()
    for (const [key, event] of this.#waiting) this.#turn.push({ key, event })
    this.#waiting.clear()
    this.flush()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.flush())
  }

  /** Sends what has gathered in this turn. */
  flush(): void {
    this.#isScheduled = false
    if (this.#turn.length === 0) return
    const events = this.#options.mode === 'latest' ? newestOf(this.#turn) : this.#turn
    this.#turn = []
    for (const message of messagesOf(events)) {
      this.#observe(message)
      for (const subscriber of this.#subscribers) subscriber.send(message)
    }
  }

  /** From the newest trade in a message to its writing; the exchange's clock is in it. */
  #observe(message: Message): void {
    const last = message.events.findLast(({ event }) => isLive(event) && event.tradeTime > 0)?.event as
      | LiveEvent
      | undefined
    if (last !== undefined) this.#options.metrics.latency.observe(Math.max(0, Date.now() - last.tradeTime) / 1_000)
  }
}
