import type { BarEvent, FeedEvent, HistoryEvent, WantedSeries } from '../wire.ts'
import { backoffMs } from './backoff.ts'
import { streamAddress } from './server.ts'

export interface StreamReader {
  onHistory(event: HistoryEvent): void
  onBar(event: BarEvent): void
  onFeed(event: FeedEvent): void
  /** `isOpen` false: the server is away, and what is shown is as old as that. */
  onConnection(isOpen: boolean): void
}

/**
 * The one stream of the page, for all its series. The browser itself calls again after a cut, with the id of the last event; when it gives
 * up, because the answer was not a stream, or when other series are wanted, a new stream says in its address from where each one goes on.
 */
export class SeriesStream {
  readonly #reader: StreamReader
  readonly #wanted: () => readonly WantedSeries[]
  #source: EventSource | undefined
  #names = ''
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #heardTime = 0

  constructor(reader: StreamReader, wanted: () => readonly WantedSeries[]) {
    this.#reader = reader
    this.#wanted = wanted
  }

  /** How long nothing was heard on an open stream, in ms; 0 where none is open. */
  silentMs(now: number): number {
    return this.#source?.readyState === EventSource.OPEN ? now - this.#heardTime : 0
  }

  /** Follows what is wanted now; an open stream of the same series stays. */
  follow(): void {
    const names = this.#wanted()
      .map(({ symbol, interval }) => `${symbol}:${interval}`)
      .join()
    if (names === this.#names) return
    this.#names = names
    this.#tries = 0
    this.reopen()
  }

  /** Begins anew, from where the page stands. */
  reopen(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
    const wanted = this.#wanted()
    if (wanted.length > 0) this.#open(streamAddress(wanted))
  }

  #open(address: string): void {
    const source = new EventSource(address)
    this.#source = source
    const on = (type: string, take: (data: never) => void) =>
      source.addEventListener(type, event => {
        this.#heardTime = performance.now()
        this.#tries = 0
        take(JSON.parse((event as MessageEvent<string>).data) as never)
      })
    on('history', (event: HistoryEvent) => this.#reader.onHistory(event))
    on('bar', (event: BarEvent) => this.#reader.onBar(event))
    on('feed', (event: FeedEvent) => this.#reader.onFeed(event))
    source.addEventListener('open', () => {
      this.#heardTime = performance.now()
      this.#reader.onConnection(true)
    })
    source.addEventListener('error', () => {
      this.#reader.onConnection(false)
      if (source.readyState === EventSource.CLOSED) this.#reopenLater()
    })
  }

  #reopenLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.reopen(), backoffMs(this.#tries++))
  }
}
