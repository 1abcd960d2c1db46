/** What stops sending while a queue is full. */
export interface Pausable {
  pause(): void
  resume(): void
}

/**
 * Events between sources that push and one consumer that pulls all there is. Full, it pauses its sources, so a consumer that never
 * reads costs a fixed amount of memory: the bound and what a socket has already read, some 64 KB each.
 */
export class EventQueue<T> {
  readonly #eventsMax: number
  readonly #sources = new Set<Pausable>()
  #events: T[] = []
  #paused = false
  #wake: (() => void) | undefined

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  get length(): number {
    return this.#events.length
  }

  /** From now on `source` is paused when the queue is full; at once, when it is full already. */
  attach(source: Pausable): void {
    this.#sources.add(source)
    if (this.#paused) source.pause()
  }

  detach(source: Pausable): void {
    this.#sources.delete(source)
  }

  push(event: T): void {
    this.#events.push(event)
    if (!this.#paused && this.#events.length >= this.#eventsMax) {
      this.#paused = true
      for (const source of this.#sources) source.pause()
    }
    this.#wake?.()
  }

  /** Everything that has been pushed since the last call, at least one event; undefined once the signal is aborted. */
  async takeAll(signal: AbortSignal): Promise<T[] | undefined> {
    if (this.#events.length === 0 && !signal.aborted) {
      await new Promise<void>(resolve => {
        const wake = () => {
          signal.removeEventListener('abort', wake)
          this.#wake = undefined
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake, { once: true })
      })
    }
    if (signal.aborted) return undefined
    const events = this.#events
    this.#events = []
    if (this.#paused) {
      this.#paused = false
      for (const source of this.#sources) source.resume()
    }
    return events
  }
}
