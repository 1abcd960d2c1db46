import { type Backoff, backoffDelayMs } from '@chart/binance'

/**
 * A bar in doubt is looked at again after 5 to 10 s, then ever more seldom, up to every 16 minutes: what is not stored yet or not known
 * by every server of the exchange comes within seconds, what is wrong at the exchange stays so for days.
 */
const LOOK_BACKOFF: Backoff = { firstMs: 10_000, longestMs: 960_000 }

/** Looks at one bar, over some twenty minutes. Then it is left alone, until it has another version or the auditor starts again. */
export const LOOKS_MAX = 8

/** Bars in doubt of one series. The oldest doubt makes room; its bar is met again by the next start. */
const DOUBTS_MAX = 1_000

interface Doubt {
  readonly version: string
  /** How often the bar was looked at in this version. */
  readonly looks: number
  /** Our clock. */
  readonly dueTime: number
}

/** What one series remembers of bars that are not as the exchange has them, so that none is asked for in a loop. Knows no clock. */
export class Doubts {
  readonly #doubts = new Map<number, Doubt>()
  readonly #firstMs: number

  /** @param firstMs bound of the first wait; tests do not wait so long */
  constructor(firstMs: number = LOOK_BACKOFF.firstMs) {
    this.#firstMs = firstMs
  }

  get size(): number {
    return this.#doubts.size
  }

  /** How often the bar was looked at in this version. */
  looks(openTime: number, version: string): number {
    const doubt = this.#doubts.get(openTime)
    return doubt?.version === version ? doubt.looks : 0
  }

  /** False for a bar that has been looked at lately, or often enough. */
  isDue(openTime: number, version: string, now: number): boolean {
    const doubt = this.#doubts.get(openTime)
    return doubt === undefined || doubt.version !== version || doubt.dueTime <= now
  }

  /** Open times of the bars that should be looked at again now. */
  due(now: number): number[] {
    return [...this.#doubts].filter(([, { dueTime }]) => dueTime <= now).map(([openTime]) => openTime)
  }

  /** The bar was looked at and is still in doubt. */
  note(openTime: number, version: string, now: number): void {
    const looks = this.looks(openTime, version) + 1
    const backoff = { ...LOOK_BACKOFF, firstMs: this.#firstMs }
    // The upper half of the wait, since a look that comes too early is a look wasted.
    const waitMs = backoffDelayMs(backoff, looks, () => 0.5 + Math.random() / 2)
    this.#set(openTime, { version, looks, dueTime: looks >= LOOKS_MAX ? Number.POSITIVE_INFINITY : now + waitMs })
  }

  /** Nothing is wrong with the bar so far; it is only too early. */
  postpone(openTime: number, version: string, now: number): void {
    this.#set(openTime, { version, looks: this.looks(openTime, version), dueTime: now + this.#firstMs })
  }

  clear(openTime: number): void {
    this.#doubts.delete(openTime)
  }

  #set(openTime: number, doubt: Doubt): void {
    this.#doubts.delete(openTime)
    this.#doubts.set(openTime, doubt)
    if (this.#doubts.size > DOUBTS_MAX) this.#doubts.delete(this.#doubts.keys().next().value!)
  }
}
