import type { Interval } from '@chart/market'
import { type RedisCommands, readFeedStatus } from '@chart/redis'
import { feedViewOf } from './feed-watch.ts'
import { RedisTroubleError } from './refused-request.ts'
import type { ServedSymbols } from './served-symbols.ts'
import type { SymbolsAnswer, SymbolView } from './wire.ts'

/** Feeds are looked at once a second where they are watched; here as often, for all who ask. */
const FRESH_MS = 1_000

/** What `/api/symbols` answers, made at most once a second. */
export class SymbolsAnswers {
  readonly #options: { served: ServedSymbols; redis: RedisCommands; intervals: readonly Interval[] }
  #answer: Promise<string> | undefined
  #madeTime = Number.NEGATIVE_INFINITY

  constructor(options: { served: ServedSymbols; redis: RedisCommands; intervals: readonly Interval[] }) {
    this.#options = options
  }

  /**
   * SymbolsAnswer as JSON.
   * @throws RedisTroubleError
   */
  text(): Promise<string> {
    const now = performance.now()
    if (this.#answer === undefined || now - this.#madeTime >= FRESH_MS) {
      this.#madeTime = now
      const answer = this.#make()
      this.#answer = answer
      answer.catch(() => {
        if (this.#answer === answer) this.#answer = undefined
      })
    }
    return this.#answer
  }

  async #make(): Promise<string> {
    const { served, redis, intervals } = this.#options
    const symbols = [...(await served.all()).values()]
    const feeds = await readFeedStatus(redis, symbols).catch((error): never => {
      throw new RedisTroubleError(error)
    })
    const answer: SymbolsAnswer = {
      symbols: symbols.map(
        ({ symbol, status, tickSize, stepSize, simulated }, index): SymbolView => ({
          symbol,
          status,
          tickSize,
          stepSize,
          simulated,
          feed: feedViewOf(feeds[index]!),
        }),
      ),
      intervals: intervals.map(({ name }) => name),
    }
    return JSON.stringify(answer)
  }
}
