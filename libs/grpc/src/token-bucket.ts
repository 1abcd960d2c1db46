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

  /**
   * Takes `cost` tokens for what has happened already, into debt if need be, down to minus the burst: who goes on regardless waits for
   * longer.
   * @returns whether they were there
   */
  charge(now: number, cost = 1): boolean {
    this.#fill(now)
    const wereThere = this.#tokens >= cost
    this.#tokens = Math.max(this.#tokens - cost, -this.#rate.burst)
    return wereThere
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
