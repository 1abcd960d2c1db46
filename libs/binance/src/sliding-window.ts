/**
 * Counts what was spent within the last `windowMs` and says when a further cost fits. A sliding window, since the exchange counts
 * in windows of its own: whatever minute it cuts, no more than `max` of ours falls into it. A bucket that refills would allow
 * twice as much there. Knows no clock; `now` is any monotonic time in milliseconds.
 */
export class SlidingWindow {
  readonly #max: number
  readonly #windowMs: number
  /** Oldest first. */
  #spent: { time: number; cost: number }[] = []
  #sum = 0

  constructor(max: number, windowMs: number) {
    this.#max = max
    this.#windowMs = windowMs
  }

  /** What was spent within the window that ends now. */
  used(now: number): number {
    this.#forget(now)
    return this.#sum
  }

  /** Milliseconds until `cost` fits; 0 when it fits now. A cost above the maximum fits when nothing else is in the window. */
  waitMs(now: number, cost = 1): number {
    this.#forget(now)
    let sum = this.#sum
    if (sum + cost <= this.#max) return 0
    for (const { time, cost: freed } of this.#spent) {
      sum -= freed
      if (sum + cost <= this.#max) return time + this.#windowMs - now
    }
    const newest = this.#spent[this.#spent.length - 1]
    return newest === undefined ? 0 : newest.time + this.#windowMs - now
  }

  spend(now: number, cost = 1): void {
    this.#spent.push({ time: now, cost })
    this.#sum += cost
  }

  #forget(now: number): void {
    let expired = 0
    for (const { time, cost } of this.#spent) {
      if (time + this.#windowMs > now) break
      this.#sum -= cost
      expired++
    }
    if (expired > 0) this.#spent.splice(0, expired)
  }
}
