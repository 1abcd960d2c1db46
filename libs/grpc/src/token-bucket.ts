/** How fast something may happen: `burst` at once, `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Tokens that fill up with time and are taken by what happens. The clock (ms) is the caller's, and only goes forward. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #time: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#time = now
  }

  /** Takes `cost` tokens if they are there. */
  take(now: number, cost = 1): boolean {
    this.#fill(now)
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }

  /** Nothing was taken for so long that a new bucket would be the same. */
  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= this.#rate.burst
  }

  #fill(now: number): void {
    if (now <= this.#time) return
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#time) * this.#rate.perSecond) / 1_000)
    this.#time = now
  }
}
