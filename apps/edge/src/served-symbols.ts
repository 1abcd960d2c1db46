import { isSymbol } from '@chart/market'
import { type RedisCommands, readSymbols } from '@chart/redis'
import type { Served } from './request-check.ts'

/** A symbol that we do not know makes us look again, at most this often: nobody can make us ask Redis for each wrong name. */
const REFRESH_MS = 1_000

/** What is served, as Redis says; looked up again when someone asks for what we do not know. */
export class ServedSymbols {
  readonly #redis: RedisCommands
  readonly #intervals: ReadonlySet<string>
  #symbols: ReadonlyMap<string, string> = new Map()
  #readTime = 0
  #reading: Promise<Served> | undefined

  constructor(redis: RedisCommands, intervals: readonly string[]) {
    this.#redis = redis
    this.#intervals = new Set(intervals)
  }

  /** What is served now, read anew when `symbols` has one that was not served before. */
  async including(symbols: readonly string[]): Promise<Served> {
    const unknown = symbols.some(symbol => isSymbol(symbol) && !this.#symbols.has(symbol))
    if (unknown && Date.now() - this.#readTime >= REFRESH_MS) return this.all()
    return { symbols: this.#symbols, intervals: this.#intervals }
  }

  /** What is served, read now; all who ask meanwhile share one reading. */
  all(): Promise<Served> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<Served> {
    this.#symbols = await readSymbols(this.#redis)
    this.#readTime = Date.now()
    return { symbols: this.#symbols, intervals: this.#intervals }
  }
}
