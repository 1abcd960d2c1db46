import type { ClosedEvent } from './series-event.ts'

/**
 * Closed bars kept of each series, to go on with whoever comes back within a quarter of an hour (of minutes) without asking anyone:
 * some 6 kB. A symbol's state in Redis has fewer to begin with.
 */
const RECENT_MAX = 16
/** Of an interval that is stored nowhere: two minutes of seconds, some 40 kB. */
const RECENT_UNSTORED_MAX = 120
/** Corrections kept of older bars. They are rare; who missed more of them is given them out of PostgreSQL. */
const CORRECTED_MAX = 64

/** A closed bar as it was told last. */
export type KeptBar = Pick<ClosedEvent, 'version' | 'bar'>

/** The newest closed bars of one series, ready to be told again. */
export class RecentBars {
  readonly #intervalMs: number
  readonly #max: number
  /** By openTime, oldest first. */
  readonly #bars = new Map<number, KeptBar>()
  /** Older ones that were corrected, by openTime; the newest correction last. */
  readonly #corrected = new Map<number, KeptBar>()
  /** A correction was forgotten. */
  overflown = false

  constructor(intervalMs: number, isStored: boolean) {
    this.#intervalMs = intervalMs
    this.#max = isStored ? RECENT_MAX : RECENT_UNSTORED_MAX
  }

  add({ version, bar }: KeptBar): void {
    const kept = { version, bar }
    const { openTime } = version
    if (this.#bars.has(openTime) || openTime > this.#newest) {
      this.#bars.set(openTime, kept)
      if (this.#bars.size > this.#max) this.#dropOldest()
    } else this.#addCorrected(kept)
  }

  get #newest(): number {
    let newest = Number.NEGATIVE_INFINITY
    for (const openTime of this.#bars.keys()) newest = openTime
    return newest
  }

  #dropOldest(): void {
    const [openTime, kept] = this.#bars.entries().next().value!
    this.#bars.delete(openTime)
    if (kept.version.revision > 0) this.#addCorrected(kept)
  }

  #addCorrected(kept: KeptBar): void {
    const { openTime } = kept.version
    this.#corrected.delete(openTime)
    this.#corrected.set(openTime, kept)
    if (this.#corrected.size <= CORRECTED_MAX) return
    this.#corrected.delete(this.#corrected.keys().next().value!)
    this.overflown = true
  }

  /** The newest run of bars without a hole, oldest first. */
  run(): KeptBar[] {
    const bars = [...this.#bars.values()]
    let start = bars.length - 1
    while (start > 0 && bars[start - 1]!.version.openTime === bars[start]!.version.openTime - this.#intervalMs) start--
    return bars.slice(Math.max(0, start))
  }

  /** Corrected bars from before the run, oldest first. */
  corrected(): KeptBar[] {
    const first = this.run()[0]?.version.openTime ?? Number.POSITIVE_INFINITY
    const bars = [
      ...this.#corrected.values(),
      ...[...this.#bars.values()].filter(({ version }) => version.revision > 0),
    ]
    return bars
      .filter(({ version }) => version.openTime < first)
      .sort((a, b) => a.version.openTime - b.version.openTime)
  }
}
