import { type BarStream, frameWithMerged, RpcError } from '@chart/grpc'
import type { JoinFilter } from './join-filter.ts'
import { type KeyedEvent, type Message, messagesOf } from './keyed-event.ts'
import type { EdgeLimits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { isClosed, isLive, type LiveEvent, type SeriesEvent } from './series-event.ts'

export interface SubscriberOptions {
  readonly metrics: Metrics
  readonly limits: Pick<EdgeLimits, 'closedKeptMax' | 'slowMaxMs'>
}

/** How long what a client has already is looked for: an update on its way for longer is lost, and its connection with it. */
const JOINING_MS = 30_000

/**
 * One call. While its client keeps up it is written what its group is; when it falls behind, at most one live bar is kept for each
 * series (the newest) and every closed bar up to a bound, so that it can neither slow nor grow anything.
 */
export class Subscriber {
  readonly #stream: BarStream
  readonly #options: SubscriberOptions
  /**
   * `written`: what its group gets is written at once. `slow`: the client does not read; the newest is kept until it does. `held`: its
   * history is being written first, and what happens meanwhile is kept in the same way. `gone`: the call has ended.
   */
  #state: 'written' | 'slow' | 'held' | 'gone' = 'written'
  #slowTimer: NodeJS.Timeout | undefined
  #filter: JoinFilter | undefined
  #filterTimer: NodeJS.Timeout | undefined
  /** Newest live bar by series, with how many came before it, and closed bars in order. */
  readonly #live = new Map<string, { event: LiveEvent; merged: number }>()
  #closed: KeyedEvent[] = []
  /** Set while history waits for the client to read on. */
  #onRead: (() => void) | undefined

  constructor(stream: BarStream, options: SubscriberOptions) {
    this.#stream = stream
    this.#options = options
    stream.onDrain(() => this.#onDrain())
    stream.onClose(() => {
      this.#state = 'gone'
      clearTimeout(this.#slowTimer)
      clearTimeout(this.#filterTimer)
      this.#live.clear()
      this.#closed = []
      this.#onRead?.()
    })
  }

  get isGone(): boolean {
    return this.#state === 'gone'
  }

  /** The client has been written everything that its group was. */
  get isUpToDate(): boolean {
    return this.#state === 'written' && !this.#filter?.isBehind
  }

  /** From here on what the group gets is kept, until `release`. */
  hold(filter: JoinFilter): void {
    this.#filter = filter
    if (this.#state === 'written') this.#state = 'held'
  }

  /** Writes history while held; resolves when the client reads on. */
  async tell(events: readonly KeyedEvent[]): Promise<void> {
    for (const { bytes } of messagesOf(events)) await this.tellBytes(bytes)
  }

  /** The same of bytes that say nothing of bars. */
  async tellBytes(bytes: Uint8Array): Promise<void> {
    if (this.isGone || bytes.length === 0 || this.#writes(bytes)) return
    this.#startSlowTimer()
    await new Promise<void>(resolve => {
      this.#onRead = resolve
    })
    this.#onRead = undefined
  }

  /**
   * Goes on with the group: what was kept, then the live bars as they are now.
   * @param last of the history, and snapshots
   */
  release(last: readonly KeyedEvent[]): void {
    if (this.#state !== 'held') return
    this.#state = 'written'
    const events = [...this.#takeClosed(), ...last]
    this.#live.clear()
    for (const message of messagesOf(events)) this.send(message)
    this.#filterTimer = setTimeout(() => {
      this.#filter = undefined
    }, JOINING_MS).unref()
  }

  /** @param message shared by all who get the same */
  send(message: Message): void {
    if (this.#state === 'gone') return
    if (this.#state !== 'written') this.#keep(message.events)
    else if (this.#filter === undefined) this.#write(message.bytes)
    else this.#sendFiltered(message, this.#filter.pass(message.events))
  }

  /** Writes bytes that say nothing of bars; nothing when the client does not keep up. */
  note(bytes: Uint8Array): void {
    if (this.#state === 'written' && bytes.length > 0) this.#write(bytes)
  }

  fail(error: RpcError): void {
    this.#stream.fail(error)
  }

  #sendFiltered(message: Message, events: readonly KeyedEvent[]): void {
    if (events === message.events) this.#write(message.bytes)
    else for (const { bytes } of messagesOf(events)) this.#write(bytes)
  }

  #writes(bytes: Uint8Array): boolean {
    this.#options.metrics.writes.inc()
    this.#options.metrics.writtenBytes.inc(bytes.length)
    return this.#stream.write(bytes)
  }

  #write(bytes: Uint8Array): void {
    if (this.#writes(bytes) || this.#state !== 'written') return
    this.#state = 'slow'
    this.#startSlowTimer()
  }

  #startSlowTimer(): void {
    const { slowMaxMs } = this.#options.limits
    clearTimeout(this.#slowTimer)
    this.#slowTimer = setTimeout(() => this.#evict(`the client has not read for ${slowMaxMs / 1_000} s`), slowMaxMs)
  }

  #keep(events: readonly KeyedEvent[]): void {
    for (const { key, event } of events) {
      if (isLive(event)) this.#keepLive(key, event)
      else if (event.type !== 'heartbeat') this.#keepClosed(key, event)
    }
    const { closedKeptMax } = this.#options.limits
    if (this.#closed.length > closedKeptMax) this.#evict(`more than ${closedKeptMax} closed bars wait for the client`)
  }

  #keepLive(key: string, event: LiveEvent): void {
    const known = this.#live.get(key)
    if (known !== undefined) this.#options.metrics.merged.inc()
    this.#live.set(key, { event, merged: known === undefined ? 0 : known.merged + 1 })
  }

  #keepClosed(key: string, event: SeriesEvent): void {
    // The closed bar says all that its last live bar would.
    if (isClosed(event) && this.#live.get(key)?.event.openTime === event.openTime) this.#live.delete(key)
    this.#closed.push({ key, event })
  }

  #onDrain(): void {
    if (this.#state === 'gone') return
    clearTimeout(this.#slowTimer)
    if (this.#state === 'held') this.#onRead?.()
    if (this.#state !== 'slow') return
    this.#state = 'written'
    const live = [...this.#live].map(([key, { event, merged }]): KeyedEvent => {
      return { key, event: merged === 0 ? event : { ...event, frame: frameWithMerged(event.frame, merged) } }
    })
    this.#live.clear()
    for (const message of messagesOf([...this.#takeClosed(), ...live])) this.send(message)
  }

  #takeClosed(): KeyedEvent[] {
    const closed = this.#closed
    this.#closed = []
    return closed
  }

  #evict(reason: string): void {
    this.#options.metrics.evicted.inc()
    this.#stream.fail(
      new RpcError('RESOURCE_EXHAUSTED', `${reason}; read faster, or ask for fewer series or for the latest only`),
    )
  }
}
