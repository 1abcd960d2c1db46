import type { BarEvent, FeedEvent, HistoryEvent, WantedSeries } from '../wire.ts'
import { backoffMs } from './backoff.ts'
import { streamAddress } from './server.ts'

/** The server says something every five seconds at least. After this much silence a connection counts as dead, though nobody has said so. */
const SILENCE_MAX_MS = 8_000
/** An opening may take longer: the server reads bars first. It may also go over a connection that the browser kept and that is dead too. */
const OPENING_MAX_MS = 10_000

export interface StreamReader {
  onHistory(event: HistoryEvent): void
  onBar(event: BarEvent): void
  onFeed(event: FeedEvent): void
  onOpen(): void
  /** The server is away: what is shown is as old as that. */
  onAway(): void
  /** It is heard again. */
  onBack(): void
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
  #isAway = false

  constructor(reader: StreamReader, wanted: () => readonly WantedSeries[]) {
    this.#reader = reader
    this.#wanted = wanted
  }

  /** True of an open stream on which something was heard a short while ago. */
  get isHeard(): boolean {
    return this.#source?.readyState === EventSource.OPEN && this.#silentMs < SILENCE_MAX_MS
  }

  /** True while there should be a stream and it is broken, or silent. */
  get isAway(): boolean {
    return this.#isAway
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

  /** Says that the server is away when nothing is heard any more, and calls it anew. To be called every second. */
  look(): void {
    const state = this.#source?.readyState ?? EventSource.CLOSED
    if (state === EventSource.CLOSED) return
    if (this.#silentMs < (state === EventSource.OPEN ? SILENCE_MAX_MS : OPENING_MAX_MS)) return
    this.#setAway()
    this.reopen()
  }

  /** Begins anew, from where the page stands. */
  reopen(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
    const wanted = this.#wanted()
    if (wanted.length === 0) this.#isAway = false
    if (wanted.length > 0) this.#open(streamAddress(wanted))
  }

  #open(address: string): void {
    const source = new EventSource(address)
    this.#source = source
    this.#heardTime = performance.now()
    const on = (type: string, take: (data: never) => void) =>
      source.addEventListener(type, event => {
        this.#hear()
        this.#tries = 0
        take(JSON.parse((event as MessageEvent<string>).data) as never)
      })
    on('history', (event: HistoryEvent) => this.#reader.onHistory(event))
    on('bar', (event: BarEvent) => this.#reader.onBar(event))
    on('feed', (event: FeedEvent) => this.#reader.onFeed(event))
    source.addEventListener('open', () => {
      this.#hear()
      this.#reader.onOpen()
    })
    source.addEventListener('error', () => {
      // The browser begins anew.
      this.#heardTime = performance.now()
      this.#setAway()
      if (source.readyState === EventSource.CLOSED) this.#reopenLater()
    })
  }

  get #silentMs(): number {
    return performance.now() - this.#heardTime
  }

  #hear(): void {
    this.#heardTime = performance.now()
    if (!this.#isAway) return
    this.#isAway = false
    this.#reader.onBack()
  }

  #setAway(): void {
    this.#isAway = true
    this.#reader.onAway()
  }

  #reopenLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.reopen(), backoffMs(this.#tries++))
  }
}
