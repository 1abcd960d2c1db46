import { chance, createRandom, hash } from './random.ts'

export interface TradeCountOptions {
  readonly symbolSeed: number
  /** Mean trades per second over an hour. */
  readonly tradesPerSecond: number
  readonly genesisTime: number
  /** Share of minutes without any trade, 0…1. The other minutes of the hour have more, so the mean stays. */
  readonly silentMinuteShare: number
  /** 0: every second alike. 1: silent seconds, and bursts of up to about five times the mean. */
  readonly burstiness: number
}

const hourMs = 3_600_000
const minuteMs = 60_000
/** Hours and minutes whose split is remembered; 61 numbers each. */
const splitsMax = 64

/**
 * How many trades a symbol has in each second since genesis. An hour draws its number, splits it over its minutes, and a
 * minute over its seconds; so a year costs 8,760 draws to sum up, not 31 million, and any second is found from any side
 * (by time, by position) by searching sums.
 */
export class TradeCounts {
  readonly #options: TradeCountOptions
  /** Trades before hour n since genesis; grows with the hours asked for. */
  readonly #beforeHour: number[] = [0]
  readonly #splits = new Map<number, Float64Array>()

  constructor(options: TradeCountOptions) {
    this.#options = options
  }

  /** Trades before the second that starts at `time`, and in it. Times before genesis have none. */
  ofSecond(time: number): { before: number; count: number } {
    const since = time - this.#options.genesisTime
    if (since < 0) return { before: 0, count: 0 }
    const hour = Math.floor(since / hourMs)
    const minutes = this.#minutesOf(hour)
    const minute = Math.floor((since % hourMs) / minuteMs)
    const seconds = this.#secondsOf(hour, minute, minutes[minute + 1]! - minutes[minute]!)
    const second = Math.floor((since % minuteMs) / 1000)
    const before = this.#before(hour) + minutes[minute]! + seconds[second]!
    return { before, count: seconds[second + 1]! - seconds[second]! }
  }

  /** Start of the second that holds the trade at `position`. */
  secondOf(position: number): number {
    while (this.#beforeHour.at(-1)! <= position) this.#before(this.#beforeHour.length)
    const hour = lastAtMost(this.#beforeHour, position)
    const inHour = position - this.#beforeHour[hour]!
    const minutes = this.#minutesOf(hour)
    const minute = lastAtMost(minutes, inHour)
    const seconds = this.#secondsOf(hour, minute, minutes[minute + 1]! - minutes[minute]!)
    const second = lastAtMost(seconds, inHour - minutes[minute]!)
    return this.#options.genesisTime + hour * hourMs + minute * minuteMs + second * 1000
  }

  #before(hour: number): number {
    const { symbolSeed, tradesPerSecond, burstiness } = this.#options
    while (this.#beforeHour.length <= hour) {
      const drawn = this.#beforeHour.length - 1
      const factor = 1 + 0.5 * burstiness * (chance(symbolSeed, drawn, 1) + chance(symbolSeed, drawn, 2) - 1)
      const count = Math.floor(tradesPerSecond * 3600 * factor + chance(symbolSeed, drawn, 3))
      this.#beforeHour.push(this.#beforeHour[drawn]! + count)
    }
    return this.#beforeHour[hour]!
  }

  #minutesOf(hour: number): Float64Array {
    const { symbolSeed, silentMinuteShare, burstiness } = this.#options
    return this.#split(hour * 61, this.#before(hour + 1) - this.#before(hour), () => {
      const random = createRandom(hash(symbolSeed, hour, 4))
      return () => {
        const silent = random() < silentMinuteShare
        const calm = 1 - burstiness / 2 + (burstiness * (random() + random())) / 2
        const surge = random() < 0.02 * burstiness ? 3 : 1
        return silent ? 0 : calm * surge
      }
    })
  }

  #secondsOf(hour: number, minute: number, count: number): Float64Array {
    const { symbolSeed, burstiness } = this.#options
    return this.#split(hour * 61 + minute + 1, count, () => {
      const random = createRandom(hash(symbolSeed, hour * 60 + minute, 5))
      return () => {
        // A Pareto tail, cut at 10, whose mean is 2: seconds of five times the usual happen, and tenfold ones do not.
        const tail = random() < 0.08 ? 0 : Math.min(10, 1 / Math.sqrt(random() + 1e-9))
        return 1 - burstiness + (burstiness * tail) / 2
      }
    })
  }

  /** `count` shared out over sixty parts by weight, as sums before each part; the last entry is `count`. */
  #split(key: number, count: number, weights: () => () => number): Float64Array {
    const known = this.#splits.get(key)
    if (known) return known
    const weight = weights()
    const sums = new Float64Array(61)
    for (let part = 0; part < 60; part++) sums[part + 1] = sums[part]! + weight()
    const total = sums[60]!
    // All sixty silent: nowhere to put the trades but the last part.
    for (let part = 1; part < 60; part++) sums[part] = total === 0 ? 0 : Math.floor((count * sums[part]!) / total)
    sums[60] = count
    if (this.#splits.size >= splitsMax) this.#splits.delete(this.#splits.keys().next().value!)
    this.#splits.set(key, sums)
    return sums
  }
}

/** Index of the last of ascending `sums` that is at most `value`, so that `value` lies in the part it starts. */
export function lastAtMost(sums: ArrayLike<number>, value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (sums[middle]! <= value) low = middle
    else high = middle - 1
  }
  return low
}
