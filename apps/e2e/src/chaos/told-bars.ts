import type { BarText, Interval } from '@chart/market'
import { provable } from '../oracle.ts'

/** What one client was told of closed bars, over all its calls, and what of it broke a promise. */
export class ToldBars {
  /** By series (`BTCUSDT 1m`) and openTime, the newest version told. */
  readonly #series = new Map<string, Map<number, BarText>>()
  readonly violations: string[] = []
  /** Bars told, and bars fetched because no stream had told them. */
  told = 0
  fetched = 0

  /** A new call: what it tells may repeat what other calls have told. */
  beginCall(): ToldCall {
    return { revisions: new Map() }
  }

  /** A stream told of a closed or corrected bar. */
  tell(call: ToldCall, bar: BarText): void {
    this.told++
    const key = `${keyOf(bar)} ${bar.openTime}`
    const before = call.revisions.get(key)
    if (before !== undefined && before >= bar.revision) {
      this.#violate(bar, `revision ${bar.revision} after ${before} within one call`)
    }
    call.revisions.set(key, bar.revision)
    this.#take(bar)
  }

  /** ListBars had it. */
  fetch(bar: BarText): void {
    const known = this.#series.get(keyOf(bar))?.get(bar.openTime)
    // What PostgreSQL has may be older than what was told.
    if (known !== undefined && known.revision >= bar.revision) return
    this.fetched++
    this.#take(bar)
  }

  /** openTimes of a series that are missing from `fromTime` (a bar's beginning), or from the first one told, up to and without `untilTime`. */
  holesOf(symbol: string, { name, intervalMs }: Interval, fromTime: number, untilTime: number): number[] {
    const bars = this.barsOf(symbol, name)
    const holes: number[] = []
    for (let openTime = Math.min(fromTime, ...bars.keys()); openTime < untilTime; openTime += intervalMs) {
      if (!bars.has(openTime)) holes.push(openTime)
    }
    return holes
  }

  /** The newest versions of a series, by openTime. */
  barsOf(symbol: string, interval: string): ReadonlyMap<number, BarText> {
    return this.#series.get(`${symbol} ${interval}`) ?? new Map()
  }

  #take(bar: BarText): void {
    const key = keyOf(bar)
    const bars = this.#series.get(key) ?? new Map<number, BarText>()
    this.#series.set(key, bars)
    const known = bars.get(bar.openTime)
    if (known !== undefined && known.revision > bar.revision) {
      this.#violate(bar, `revision ${bar.revision} after ${known.revision} in an earlier call`)
      return
    }
    if (known !== undefined && known.revision === bar.revision && textOf(known) !== textOf(bar)) {
      this.#violate(bar, `revision ${bar.revision} is told as ${textOf(known)} and as ${textOf(bar)}`)
    }
    bars.set(bar.openTime, bar)
  }

  #violate(bar: BarText, what: string): void {
    this.violations.push(`${keyOf(bar)} ${new Date(bar.openTime).toISOString()}: ${what}`)
  }
}

/** What one call has told: the revision of each bar. */
export interface ToldCall {
  readonly revisions: Map<string, number>
}

function keyOf({ symbol, interval }: BarText): string {
  return `${symbol} ${interval}`
}

/** All that two tellings of one version must agree in. */
function textOf(bar: BarText): string {
  return JSON.stringify([provable(bar), bar.complete])
}
