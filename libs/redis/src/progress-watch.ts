/** A threshold that steals have raised comes down by half for each time this long without one. */
const CALM_MS = 10_000
/** Above this a threshold is not raised: a partition that nobody can bring forward is still tried now and then. */
const THRESHOLD_MAX_MS = 30_000
/**
 * So many times the threshold is waited by one that is late itself: what seems to stand still may be its own view. Waited, not refused,
 * since on a machine that is always short of CPU a dead owner has to be followed as well.
 */
const LATE_FACTOR = 10
/** At most one steal of a key in this time, whatever the threshold. */
const STEAL_EVERY_MS = 1_000

interface Watched {
  /** Where the owner stands with work ahead of it since `since`; NaN when it had none. */
  mark: number
  since: number
  thresholdMs: number
  stealTime: number
}

/**
 * Tells when an owner stands still although there is work for it: it died, sleeps, is cut off, or its socket is deaf. A lease tells
 * only the first three, and later. Pure: it is shown marks and the time, and knows no clock.
 *
 * A steal is harmless to the data and costs a pause, so a machine short of CPU must not steal in a circle: each steal of a key doubles
 * its threshold, and calm halves it again.
 */
export class ProgressWatch {
  readonly #thresholdMs: number
  readonly #watched = new Map<string, Watched>()

  /** @param thresholdMs how long an owner may stand still with work ahead */
  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs
  }

  /**
   * Takes what was seen of `key` at `now` (monotonic, in milliseconds), and tells whether to steal it.
   * @param mark how far the owner has come
   * @param isAhead there is work beyond the mark that we could do
   * @param isLate our own loop came too late to this look
   */
  observe(key: string, mark: number, isAhead: boolean, now: number, isLate = false): boolean {
    const one = this.#watched.get(key)
    if (one === undefined) {
      this.#watched.set(key, { mark, since: now, thresholdMs: this.#thresholdMs, stealTime: Number.NEGATIVE_INFINITY })
      return false
    }
    if (one.mark !== mark || !isAhead) {
      // Work that was not there before begins to wait when it is first seen.
      one.mark = isAhead ? mark : Number.NaN
      one.since = now
      return false
    }
    const waitMs = this.#thresholdOf(one, now) * (isLate ? LATE_FACTOR : 1)
    return now - one.since >= waitMs && now - one.stealTime >= STEAL_EVERY_MS
  }

  /** Notes that `key` was stolen because of what `observe` said. */
  noteSteal(key: string, now: number): void {
    const one = this.#watched.get(key)
    if (one === undefined) return
    one.thresholdMs = Math.min(this.#thresholdOf(one, now) * 2, THRESHOLD_MAX_MS)
    one.stealTime = now
    one.since = now
  }

  /** Forgets when the owners moved last, and keeps what steals have taught: the watch was broken off. */
  rest(): void {
    for (const one of this.#watched.values()) one.mark = Number.NaN
  }

  #thresholdOf({ thresholdMs, stealTime }: Watched, now: number): number {
    const calm = Math.floor((now - stealTime) / CALM_MS)
    return calm > 0 ? Math.max(this.#thresholdMs, thresholdMs / 2 ** Math.min(calm, 30)) : thresholdMs
  }
}
