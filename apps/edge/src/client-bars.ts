import type { SeriesPosition } from '@chart/grpc'
import type { LiveEvent, Telling, Version } from './series-event.ts'
import { ToldBars } from './told-bars.ts'

/**
 * What one client has of one series, from the position that it came with: which closed bars it lacks, and which live bar would take it
 * back. Edges hear of a commit at different moments, so one may know less than its client for a while.
 */
export class ClientBars {
  readonly #told = new ToldBars()
  /** The client has every bar that opens before it, as it closed first or in the version of its position. */
  readonly #heldBefore: number
  /** The live bar that the client has; undefined when it has none, and when a later one was told. */
  #live: { readonly openTime: number; readonly lastTradeId: number } | undefined

  constructor(position: SeriesPosition | undefined) {
    this.#heldBefore = position?.newest.openTime ?? Number.NEGATIVE_INFINITY
    if (position === undefined) return
    const { newest, corrected } = position
    for (const version of corrected.toSorted((a, b) => a.openTime - b.openTime)) this.#told.add(told(version))
    if (newest.state === 'closed') this.#told.add(told(newest))
    else this.#live = newest
  }

  /** Notes a closed bar and says how the client is to be told of it; undefined when it has it. */
  tellingOf(version: Version): Telling | undefined {
    const { openTime, revision } = version
    if (openTime < this.#heldBefore && revision === 0) return undefined
    const newest = this.#told.newest ?? Number.NEGATIVE_INFINITY
    const telling = this.#told.add(version)
    if (telling === undefined) return undefined
    return openTime >= this.#heldBefore && openTime > newest ? 'closed' : 'corrected'
  }

  /** Whether a live bar takes the client on. */
  takesLive({ openTime, throughTradeId }: LiveEvent): boolean {
    if (openTime <= (this.#told.newest ?? Number.NEGATIVE_INFINITY)) return false
    const held = this.#live
    if (held === undefined) return true
    if (openTime < held.openTime || (openTime === held.openTime && throughTradeId < held.lastTradeId)) return false
    this.#live = undefined
    return true
  }

  /** A live bar of the series has passed what the client came with. */
  get isPassed(): boolean {
    return this.#live === undefined
  }
}

/** The one of two positions that is further on in the series. */
export function furthestOf(one: SeriesPosition | undefined, other: SeriesPosition | undefined) {
  if (one === undefined || other === undefined) return one ?? other
  if (one.newest.openTime !== other.newest.openTime) return one.newest.openTime > other.newest.openTime ? one : other
  if (one.newest.state !== other.newest.state) return one.newest.state === 'closed' ? one : other
  return one.newest.lastTradeId >= other.newest.lastTradeId ? one : other
}

/** A position says nothing of the number of trades: any is known. */
function told({ openTime, revision, lastTradeId }: Omit<Version, 'tradeCount'>): Version {
  return { openTime, revision, lastTradeId, tradeCount: Number.POSITIVE_INFINITY }
}
