import type { BarVersion } from '@chart/grpc'
import type { BarChange, Gap } from './chart-event.ts'

/** How far a reader has come, as edges are told and tell it. */
export interface ToldBars {
  readonly newest: BarVersion
  readonly corrected: readonly BarVersion[]
}

/** Corrections remembered, so that an edge that looks further back still repeats none. */
const CORRECTED_MAX = 256
/** Closed bars remembered that were not corrected: more than an edge restates after Redis fell back. */
const CLOSED_MAX = 16

/**
 * Where the reader of one series stands. Passes each version of a bar once and in order, whatever edge tells it: one that lags behind
 * the edge before it, or repeats what the client has.
 */
export class SeriesProgress {
  #newest: BarVersion | undefined
  /** openTime from which on the reader holds the bars: nothing before it is passed. */
  #startTime: number | undefined
  readonly #sinceTime: number | undefined
  /** By openTime, in the order told. */
  readonly #closed = new Map<number, BarVersion>()
  readonly #corrected = new Map<number, BarVersion>()
  #gapEndTime = Number.NEGATIVE_INFINITY

  /** @param sinceTime of the first bar asked for; undefined: the stream begins with the live bar */
  constructor(sinceTime?: number) {
    this.#sinceTime = sinceTime
    this.#startTime = sinceTime
  }

  /** openTime from which on the reader holds the bars; undefined before the first. */
  get startTime(): number | undefined {
    return this.#startTime
  }

  /** What the reader has, with the newest of its corrections, at most so many; undefined before the first bar. */
  told(correctedMax: number): ToldBars | undefined {
    if (this.#newest === undefined) return undefined
    const corrected = [...this.#corrected.values()].sort((a, b) => b.openTime - a.openTime)
    return { newest: this.#newest, corrected: corrected.slice(0, correctedMax) }
  }

  /** True when the reader is to have this version; it has it then. */
  take(change: BarChange, { openTime, state, revision, lastTradeId }: BarVersion): boolean {
    if (this.#startTime !== undefined && openTime < this.#startTime) return false
    const version = { openTime, state, revision, lastTradeId }
    return state === 'live' ? this.#takeLive(version) : this.#takeClosed(change, version)
  }

  #takeLive(version: BarVersion): boolean {
    const newest = this.#newest
    if (newest !== undefined && version.openTime <= newest.openTime) {
      if (version.openTime < newest.openTime || newest.state === 'closed') return false
      if (version.lastTradeId <= newest.lastTradeId) return false
    }
    this.#advance(version)
    return true
  }

  #takeClosed(change: BarChange, version: BarVersion): boolean {
    const newest = this.#newest
    // A correction does not begin a stream that began with the live bar: that bar is still to come.
    const isFirst = newest === undefined && (change === 'closed' || this.#sinceTime !== undefined)
    const isNext =
      newest !== undefined &&
      (version.openTime > newest.openTime || (version.openTime === newest.openTime && newest.state === 'live'))
    if (isFirst || isNext) this.#advance(version)
    else if (!this.#isNewVersion(change, version)) return false
    else if (version.openTime === newest?.openTime) this.#newest = version
    this.#remember(change, version)
    return true
  }

  /** Of a bar that the reader has, as far as is remembered. */
  #isNewVersion(change: BarChange, version: BarVersion): boolean {
    const known = this.#corrected.get(version.openTime) ?? this.#closed.get(version.openTime)
    if (known === undefined) return change === 'corrected'
    return version.revision > known.revision || version.lastTradeId > known.lastTradeId
  }

  #advance(version: BarVersion): void {
    this.#newest = version
    this.#startTime ??= version.openTime
  }

  #remember(change: BarChange, version: BarVersion): void {
    const isCorrection = change === 'corrected' || version.revision > 0
    const [versions, max] = isCorrection ? [this.#corrected, CORRECTED_MAX] : [this.#closed, CLOSED_MAX]
    versions.delete(version.openTime)
    versions.set(version.openTime, version)
    if (versions.size > max) versions.delete(versions.keys().next().value!)
  }

  /** The part of a gap that the reader was not told yet; undefined when it knows all of it, or has the bars. */
  takeGap(gap: Gap): Gap | undefined {
    const startTime = Math.max(gap.startTime, this.#gapEndTime, this.#newest?.openTime ?? Number.NEGATIVE_INFINITY)
    if (startTime >= gap.endTime) return undefined
    this.#gapEndTime = gap.endTime
    return { ...gap, startTime }
  }

  /**
   * Takes over where the edge says that a reader stands who was told nothing else. Not when the reader has a bar: an edge tells on from
   * there whatever it lacks, so its own standing is never too far.
   */
  adopt({ newest, corrected }: ToldBars): void {
    if (this.#newest !== undefined) return
    this.#advance(newest)
    for (const version of corrected) this.#remember('corrected', version)
  }
}
