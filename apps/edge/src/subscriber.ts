import { type BarStream, RpcError } from '@chart/grpc'
import { isLive, type KeyedEvent, type Message, messagesOf } from './keyed-event.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesEvent } from './series-event.ts'

/** Closed bars kept for a client that does not keep up: an hour of seconds, or a day and more of minutes for several symbols. */
const CLOSED_KEPT_MAX = 4_000
/** A client that has not read for this long is let go of. */
const SLOW_MAX_MS = 30_000

/**
 * One call. While its client keeps up it is written what its group is; when it falls behind, at most one live bar is kept for each
 * series (the newest) and every closed bar up to a bound, so that it can neither slow nor grow anything.
 */
export class Subscriber {
  readonly #stream: BarStream
  readonly #metrics: Metrics
  #gone = false
  #slow = false
  #slowTimer: NodeJS.Timeout | undefined
  /** Newest live bar by series, and closed bars in order. */
  readonly #live = new Map<string, SeriesEvent>()
  #closed: KeyedEvent[] = []

  constructor(stream: BarStream, metrics: Metrics) {
    this.#stream = stream
    this.#metrics = metrics
    stream.onDrain(() => this.#catchUp())
    stream.onClose(() => {
      this.#gone = true
      clearTimeout(this.#slowTimer)
    })
  }

  /** @param message shared by all who get the same */
  send(message: Message): void {
    if (this.#gone) return
    if (this.#slow) this.#keep(message.events)
    else this.#write(message.bytes)
  }

  fail(error: RpcError): void {
    this.#stream.fail(error)
  }

  #write(bytes: Uint8Array): void {
    this.#metrics.writes.inc()
    this.#metrics.writtenBytes.inc(bytes.length)
    if (this.#stream.write(bytes)) return
    this.#slow = true
    this.#slowTimer = setTimeout(() => {
      this.#evict(`the client has not read for ${SLOW_MAX_MS / 1_000} s`)
    }, SLOW_MAX_MS)
  }

  #keep(events: readonly KeyedEvent[]): void {
    for (const { key, event } of events) {
      if (isLive(event)) {
        if (this.#live.has(key)) this.#metrics.merged.inc()
        this.#live.set(key, event)
      } else if (event.type !== 'heartbeat') {
        // The closed bar says all that its last live bar would.
        if (this.#live.get(key)?.openTime === event.openTime) this.#live.delete(key)
        this.#closed.push({ key, event })
      }
    }
    if (this.#closed.length > CLOSED_KEPT_MAX) {
      this.#evict(`more than ${CLOSED_KEPT_MAX} closed bars wait for the client`)
    }
  }

  #catchUp(): void {
    if (this.#gone) return
    clearTimeout(this.#slowTimer)
    this.#slow = false
    const events = [...this.#closed, ...[...this.#live].map(([key, event]) => ({ key, event }))]
    this.#closed = []
    this.#live.clear()
    for (const message of messagesOf(events)) this.send(message)
  }

  #evict(reason: string): void {
    this.#metrics.evicted.inc()
    this.#stream.fail(
      new RpcError('RESOURCE_EXHAUSTED', `${reason}; read faster, or ask for fewer series or for the latest only`),
    )
  }
}
