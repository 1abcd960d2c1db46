import type { BarText } from '@chart/market'

/**
 * The bars of one series that the page holds, oldest first, each in its newest version. What comes over the stream, out of the history and
 * when scrolling back overlaps; here it becomes one row.
 */
export class BarStore {
  #bars: readonly BarText[] = []

  get bars(): readonly BarText[] {
    return this.#bars
  }

  get oldest(): BarText | undefined {
    return this.#bars[0]
  }

  get newest(): BarText | undefined {
    return this.#bars.at(-1)
  }

  /** Takes `told` in. Gives the openTime from which on bars have changed; undefined when nothing has. */
  merge(told: readonly BarText[]): number | undefined {
    return told.length === 1 ? this.#mergeOne(told[0]!) : this.#mergeMany(told)
  }

  /** Holds nothing but `told`, and of the bar that was the newest before what is newer than that: live bars do not wait for a history. */
  replace(told: readonly BarText[]): void {
    const live = this.newest
    const last = told.at(-1)
    this.#bars = []
    this.merge(told)
    if (live !== undefined && (last === undefined || live.openTime >= last.openTime)) this.merge([live])
  }

  /** Lets the oldest bars go until no more than `barsMax` are left, but none from `keepFrom` on. Says whether any went. */
  trim(barsMax: number, keepFrom = Number.POSITIVE_INFINITY): boolean {
    const surplus = this.#bars.length - barsMax
    if (surplus <= 0) return false
    const count = Math.min(surplus, this.#placeOf(keepFrom))
    if (count === 0) return false
    this.#bars = this.#bars.slice(count)
    return true
  }

  /** The bar that begins at `openTime`. */
  at(openTime: number): BarText | undefined {
    const bar = this.#bars[this.#placeOf(openTime)]
    return bar?.openTime === openTime ? bar : undefined
  }

  /** Almost every bar is the newest one again, or follows it: nothing is copied then. */
  #mergeOne(told: BarText): number | undefined {
    const place = this.#placeOf(told.openTime)
    const bars = this.#bars as BarText[]
    const held = bars[place]
    if (held?.openTime === told.openTime) {
      const newer = newerBar(held, told)
      if (newer === held) return undefined
      bars[place] = newer
    } else {
      bars.splice(place, 0, told)
    }
    return told.openTime
  }

  #mergeMany(told: readonly BarText[]): number | undefined {
    const held = new Map(this.#bars.map(bar => [bar.openTime, bar]))
    let changedFrom: number | undefined
    for (const bar of told) {
      const before = held.get(bar.openTime)
      const after = before === undefined ? bar : newerBar(before, bar)
      if (after === before) continue
      held.set(bar.openTime, after)
      changedFrom = Math.min(bar.openTime, changedFrom ?? bar.openTime)
    }
    if (changedFrom !== undefined) this.#bars = [...held.values()].sort((a, b) => a.openTime - b.openTime)
    return changedFrom
  }

  /** Index of the first bar that does not begin before `openTime`. */
  #placeOf(openTime: number): number {
    const bars = this.#bars
    let low = 0
    let high = bars.length
    if (high > 0 && bars[high - 1]!.openTime < openTime) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (bars[middle]!.openTime < openTime) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * The newer of two versions of a bar: closed before live, then the higher revision, then made of trades before imported, then the one that
 * reaches further into the trades. Gives `held` itself where `told` brings nothing.
 */
export function newerBar(held: BarText, told: BarText): BarText {
  if (held.state !== told.state) return held.state === 'closed' ? held : told
  if (held.revision !== told.revision) return held.revision > told.revision ? held : told
  const isImported = held.proof === 'imported'
  if (isImported !== (told.proof === 'imported')) return isImported ? told : held
  if (held.lastTradeId !== told.lastTradeId) return held.lastTradeId > told.lastTradeId ? held : told
  // The stream does not know what was proven since; the history does.
  if (isProofLost(held, told)) return held
  return isSame(held, told) ? held : told
}

function isProofLost(held: BarText, told: BarText): boolean {
  return held.proof !== undefined && told.proof === undefined
}

function isSame(a: BarText, b: BarText): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof BarText>
  for (const key of keys) if (a[key] !== b[key]) return false
  return true
}
