import type { Trade } from '@chart/market'

/** Prices walk by ticks; quantities are what the exchange's step allows. Units of eight decimals. */
const KINDS = [
  { price: 6_183_763_000_000n, tick: 1_000_000n, step: 1_000n, steps: 50_000 },
  { price: 264_512_000_000n, tick: 1_000_000n, step: 10_000n, steps: 20_000 },
  { price: 1_129n, tick: 1n, step: 100_000_000n, steps: 90_000_000 },
] as const

/** How far a price walks from where it began, in ticks. */
const WALK_MAX = 500

/** Trades of one symbol, always the same: ids from 1 on, `everyMs` apart. */
export class TradeSource {
  readonly #kind: (typeof KINDS)[number]
  readonly #startTime: number
  readonly #everyMs: number
  #state: number
  #ticks = 0
  #made = 0

  constructor(symbol: number, startTime: number, everyMs: number) {
    this.#kind = KINDS[symbol % KINDS.length]!
    this.#startTime = startTime
    this.#everyMs = everyMs
    this.#state = Math.imul(symbol + 1, 0x9e3779b1) | 1
  }

  take(count: number): Trade[] {
    return Array.from({ length: count }, () => this.#next())
  }

  #next(): Trade {
    const { price, tick, step, steps } = this.#kind
    const random = this.#random()
    const walked = this.#ticks + (random % 3) - 1
    this.#ticks = Math.abs(walked) > WALK_MAX ? this.#ticks : walked
    const tradeTime = this.#startTime + Math.floor(this.#made * this.#everyMs)
    this.#made++
    return {
      tradeId: this.#made,
      tradeTime,
      price: price + tick * BigInt(this.#ticks),
      quantity: step * BigInt((random % steps) + 1),
      takerSide: random & 0x10000 ? 'buy' : 'sell',
    }
  }

  /** Xorshift. */
  #random(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 0
  }
}
