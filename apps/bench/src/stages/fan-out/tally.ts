/** Latencies above this are counted as this, in milliseconds. */
const LATENCY_MAX_MS = 60_000

const UPDATE = 2

/** What the clients of one process have received. */
export interface Received {
  readonly messages: number
  readonly bytes: number
  /** Updates of live bars. */
  readonly updates: number
  /** Updates that tell of a trade, which one that tells of a time without trades does not. */
  readonly timed: number
  /** Updates that the server merged into a later one. */
  readonly merged: number
  /** From the trade's time to the moment its update was read; undefined when there was none. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/**
 * Counts what responses hold without decoding them: a bar is stepped over by its length. It takes a fraction of a microsecond for an event,
 * so that it is the server that is measured.
 */
export class Tally {
  #messages = 0
  #bytes = 0
  #updates = 0
  #merged = 0
  #told = 0
  readonly #latencies = new Uint32Array(LATENCY_MAX_MS + 1)
  #timed = 0
  #at = 0

  /** Takes bytes `from` to `to` of `bytes`, one `chart.v1.StreamBarsResponse`, read at `now` (ms). */
  add(bytes: Uint8Array, from: number, to: number, now: number): void {
    this.#messages++
    this.#bytes += to - from
    this.#at = from
    while (this.#at < to) {
      const tag = this.#varint(bytes)
      if (tag === 0x0a) this.#event(bytes, this.#varint(bytes) + this.#at, now)
      else this.#skip(bytes, tag)
    }
  }

  /** Updates ever, with those merged into them. */
  get told(): number {
    return this.#told + this.#updates + this.#merged
  }

  /** What was received since the last call. */
  take(): Received {
    const received = {
      messages: this.#messages,
      bytes: this.#bytes,
      updates: this.#updates,
      timed: this.#timed,
      merged: this.#merged,
      p50Ms: this.#percentile(0.5),
      p99Ms: this.#percentile(0.99),
    }
    this.#told = this.told
    this.#messages = this.#bytes = this.#updates = this.#merged = this.#timed = 0
    this.#latencies.fill(0)
    return received
  }

  #event(bytes: Uint8Array, end: number, now: number): void {
    let type = 0
    let merged = 0
    let tradeTime = 0
    while (this.#at < end) {
      const tag = this.#varint(bytes)
      if (tag === 0x08) type = this.#varint(bytes)
      else if (tag === 0x30) merged = this.#varint(bytes)
      else if (tag === 0x1a) tradeTime = this.#time(bytes, this.#varint(bytes) + this.#at)
      else this.#skip(bytes, tag)
    }
    if (type !== UPDATE) return
    this.#updates++
    this.#merged += merged
    if (tradeTime === 0) return
    this.#timed++
    this.#latencies[Math.min(LATENCY_MAX_MS, Math.max(0, now - tradeTime))]!++
  }

  /** A `google.protobuf.Timestamp`, in milliseconds. */
  #time(bytes: Uint8Array, end: number): number {
    let time = 0
    while (this.#at < end) {
      const tag = this.#varint(bytes)
      const value = this.#varint(bytes)
      time += tag === 0x08 ? value * 1_000 : Math.floor(value / 1_000_000)
    }
    return time
  }

  #skip(bytes: Uint8Array, tag: number): void {
    const length = this.#varint(bytes)
    if ((tag & 7) === 2) this.#at += length
  }

  #varint(bytes: Uint8Array): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = bytes[this.#at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
  }

  /**
   * Both times are cut to whole milliseconds, which evens out: what differs by 3 took 2.5 to 3.5. Between those the percentile is
   * interpolated, since a millisecond is as much as the whole way takes in a quiet market.
   */
  #percentile(share: number): number | undefined {
    if (this.#timed === 0) return undefined
    let rest = this.#timed * share
    for (let ms = 0; ms < LATENCY_MAX_MS; ms++) {
      const count = this.#latencies[ms]!
      if (rest <= count) return Math.max(0, ms - 0.5 + rest / count)
      rest -= count
    }
    return LATENCY_MAX_MS
  }
}
