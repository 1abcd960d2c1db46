import { isSymbol } from '@chart/market'
import { type RedisCommands, readSymbolInfos, readSymbols, type SymbolInfo } from '@chart/redis'
import { RedisTroubleError } from './refused-request.ts'

/** A symbol with the tag of its partition. */
export type ServedSymbol = SymbolInfo & { readonly tag: string }

/** What is served changes seldom; nobody can make us ask Redis more often than this. */
const FRESH_MS = 1_000

/** What is served, as Redis says, by symbol in alphabetical order. Whoever asks within a second shares one reading. */
export class ServedSymbols {
  readonly #redis: RedisCommands
  #reading: Promise<ReadonlyMap<string, ServedSymbol>> | undefined
  #readTime = Number.NEGATIVE_INFINITY

  constructor(redis: RedisCommands) {
    this.#redis = redis
  }

  /** @throws RedisTroubleError */
  all(): Promise<ReadonlyMap<string, ServedSymbol>> {
    const now = performance.now()
    if (this.#reading === undefined || now - this.#readTime >= FRESH_MS) {
      this.#readTime = now
      const reading = this.#read()
      this.#reading = reading
      reading.catch(() => {
        if (this.#reading === reading) this.#reading = undefined
      })
    }
    return this.#reading
  }

  async #read(): Promise<ReadonlyMap<string, ServedSymbol>> {
    try {
      const tags = [...(await readSymbols(this.#redis))]
        .map(([symbol, tag]) => ({ symbol, tag }))
        // Nobody could ask for another name, and a page that takes one for its first chart would be refused for good.
        .filter(({ symbol }) => isSymbol(symbol))
        .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      const infos = await readSymbolInfos(this.#redis, tags)
      return new Map(infos.map((info, index) => [info.symbol, { ...info, tag: tags[index]!.tag }]))
    } catch (error) {
      throw new RedisTroubleError(error)
    }
  }
}
