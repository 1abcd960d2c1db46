import type { BarStream, RpcError } from '@chart/grpc'
import { type KeyedEvent, messagesOf, newestOf } from './keyed-event.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesEvent } from './series-event.ts'
import { Subscriber } from './subscriber.ts'

export type StreamMode = 'every-trade' | 'latest' | 'closed'

/**
 * All calls with the same subscription. What changes in one turn of the event loop is put into one message, made once, and written
 * to each of them: on this stack a write costs tens of microseconds, whatever it carries.
 */
export class SubscriberGroup {
  readonly mode: StreamMode
  readonly seriesKeys: readonly string[]
  readonly #metrics: Metrics
  readonly #subscribers = new Set<Subscriber>()
  #turn: KeyedEvent[] = []
  #scheduled = false

  constructor(seriesKeys: readonly string[], mode: StreamMode, metrics: Metrics) {
    this.seriesKeys = seriesKeys
    this.mode = mode
    this.#metrics = metrics
  }

  get size(): number {
    return this.#subscribers.size
  }

  /** Adds a call, which begins with `snapshot`: it holds everything up to now. */
  join(stream: BarStream, snapshot: readonly KeyedEvent[]): Subscriber {
    this.#flush()
    const subscriber = new Subscriber(stream, this.#metrics)
    this.#subscribers.add(subscriber)
    for (const message of messagesOf(snapshot)) subscriber.send(message)
    return subscriber
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
  }

  /** Something happened to a series of ours; it is sent at the end of the turn. */
  push(key: string, event: SeriesEvent): void {
    if (this.mode === 'closed' && event.type !== 'closed' && event.type !== 'corrected' && event.type !== 'heartbeat')
      return
    this.#turn.push({ key, event })
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  /** Ends every call of the group. */
  failAll(error: RpcError): void {
    for (const subscriber of this.#subscribers) subscriber.fail(error)
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#turn.length === 0) return
    const events = this.mode === 'latest' ? newestOf(this.#turn) : this.#turn
    this.#turn = []
    for (const message of messagesOf(events)) {
      for (const subscriber of this.#subscribers) subscriber.send(message)
    }
  }
}
