import { decodeBar } from '@chart/grpc'
import type { BarText, Interval } from '@chart/market'

/** One version of a bar, ready to be written: made once, shared by all pages that follow its series. */
export interface BarTelling {
  readonly openTime: number
  readonly isLive: boolean
  /** The lines of a server-sent event, without an id and without the empty line that ends it. */
  readonly text: string
}

/** A page that follows a series. */
export interface LineListener {
  onBar(telling: BarTelling): void
  /** Updates were missed: closed bars and corrections may be lacking since the newest bar that was told. */
  onMissed(): void
}

/** A screen shows no more than one picture in this time. */
export const LIVE_EVERY_MS = 16

/**
 * One symbol and interval as it is told. A live bar is told at once, or when 16 ms have passed since the last one, the newest then; a
 * closed one is never held back. Nothing is decoded while nobody listens.
 */
export class SeriesLine {
  readonly symbol: string
  readonly interval: Interval
  readonly #listeners = new Set<LineListener>()
  /** The live bar as it came: protobuf bytes of an update, or read from its hash. */
  #live: { readonly openTime: number; readonly bar: Uint8Array | BarText } | undefined
  #telling: BarTelling | undefined
  #toldTime = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(symbol: string, interval: Interval) {
    this.symbol = symbol
    this.interval = interval
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0
  }

  add(listener: LineListener): void {
    this.#listeners.add(listener)
  }

  remove(listener: LineListener): void {
    this.#listeners.delete(listener)
  }

  /** The live bar now; undefined where there is none. */
  snapshot(): BarTelling | undefined {
    if (this.#live === undefined) return undefined
    const { bar } = this.#live
    this.#telling ??= tellingOf(bar instanceof Uint8Array ? decodeBar(bar) : bar)
    return this.#telling
  }

  setLive(openTime: number, bar: Uint8Array | BarText): void {
    this.#live = { openTime, bar }
    this.#telling = undefined
    if (!this.isFollowed || this.#timer !== undefined) return
    const waitMs = this.#toldTime + LIVE_EVERY_MS - performance.now()
    if (waitMs <= 0) this.#tellLive()
    else this.#timer = setTimeout(() => this.#tellLive(), waitMs)
  }

  /** A bar that has closed, or was corrected since. */
  tellClosed(openTime: number, bar: Uint8Array): void {
    // What waits to be told of the bar while it was live is no longer true.
    if (this.#live !== undefined && this.#live.openTime <= openTime) {
      this.#live = undefined
      this.#telling = undefined
    }
    if (!this.isFollowed) return
    const telling = tellingOf(decodeBar(bar))
    for (const listener of this.#listeners) listener.onBar(telling)
  }

  tellMissed(): void {
    for (const listener of this.#listeners) listener.onMissed()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #tellLive(): void {
    this.#timer = undefined
    this.#toldTime = performance.now()
    const telling = this.snapshot()
    if (telling === undefined) return
    for (const listener of this.#listeners) listener.onBar(telling)
  }
}

function tellingOf(bar: BarText): BarTelling {
  return {
    openTime: bar.openTime,
    isLive: bar.state === 'live',
    text: `event: bar\ndata: ${JSON.stringify(bar)}\n`,
  }
}
