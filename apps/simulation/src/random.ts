/** Seeded random numbers (sfc32): the same seed gives the same run on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param stream a name, so that the market does not change when a fault draws once more */
  constructor(seed: number, stream: string) {
    let hash = 0x811c9dc5
    for (const character of `${seed} ${stream}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
    this.#a = hash
    this.#b = Math.imul(hash, 0x85ebca6b) ^ seed
    this.#c = Math.imul(hash, 0xc2b2ae35) ^ (seed / 2 ** 32)
    for (let index = 0; index < 12; index++) this.next()
  }

  /** 0 ≤ x < 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)]!
  }

  /** Mostly short, sometimes long: `shortest` plus an exponential time of this mean, cut at `longest`. */
  latency(shortest: number, mean: number, longest: number): number {
    return Math.min(longest, shortest - mean * Math.log(1 - this.next()))
  }
}
