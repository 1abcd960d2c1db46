/** The exchange's time, whole ms since the epoch. Everything the exchange says is of this clock. */
export interface Clock {
  now(): number
}

export const wallClock: Clock = { now: Date.now }

/**
 * A clock that stands still until it is started, and then runs `speed` times as fast as the wall's. One of infinite speed
 * is moved by whoever plays the recording, and runs at the wall's pace after that.
 */
export class VirtualClock implements Clock {
  readonly speed: number
  #time: number
  #startedAt: number | undefined
  #pace = 0

  constructor(startTime: number, speed: number) {
    this.#time = startTime
    this.speed = speed
  }

  get started(): boolean {
    return this.#startedAt !== undefined
  }

  now(): number {
    if (this.#startedAt === undefined || this.#pace === 0) return this.#time
    return Math.floor(this.#time + (performance.now() - this.#startedAt) * this.#pace)
  }

  start(): void {
    if (this.started) return
    this.#startedAt = performance.now()
    this.#pace = Number.isFinite(this.speed) ? this.speed : 0
  }

  /** For infinite speed: time as far as it has been played. */
  moveTo(time: number): void {
    this.#time = time
  }

  /** For infinite speed, when everything has been played. */
  runAtWallPace(): void {
    this.#startedAt = performance.now()
    this.#pace = 1
  }
}
