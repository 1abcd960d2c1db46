import { type ExchangeRest, RestError, retrying, type TradeStatistic } from '@chart/binance'
import { delay, type Log } from '@chart/service'
import type { SymbolFeed } from './symbol-feed.ts'

/** Questions of so long go out together; who asks waits for it. Partitions that begin to be led ask within a few ms of each other. */
const GATHER_MS = 50
/** Fewer than this are asked for singly: at most 36 of the 4,800 weight of a minute, and the answer comes from the list of trades. */
const MANY_MIN = 10
/**
 * A statistic is made anew about once a second, each symbol's at a moment of its own. One that is too old is asked for again after
 * this pause, so often altogether; then the symbol is asked for singly.
 */
const ROUND_PAUSE_MS = 600
const ROUNDS_MAX = 3
/** Attempts at one answer with statistics; then the symbols are asked for singly, each for as long as it takes. */
const ATTEMPTS_MAX = 3
/** Statistics that have been caught at saying what is not so are left alone for so long. */
const DISTRUST_MS = 600_000

/** What the exchange said of the newest trade of a symbol. */
export interface NewestTrade {
  /** The newest one at `askedTime` or later. Undefined: there never was a trade. */
  readonly tradeId: number | undefined
  /** Exchange time before it was asked. */
  readonly askedTime: number
  /** Exchange time by which it had answered at the latest. */
  readonly answeredTime: number
  /** Trades of the last 24 hours, 0 where that was not said. */
  readonly tradeCount: number
  /** The same of all symbols that were asked for together and have some, the most first, whoever was answered when. */
  readonly tradeCounts: readonly number[]
}

export interface NewestTradesOptions {
  readonly rest: ExchangeRest
  readonly log: Log
  readonly signal: AbortSignal
  /** For tests with few symbols. */
  readonly manyMin?: number | undefined
}

interface Question {
  readonly symbol: string
  /** Highest id that was known when it was asked last. */
  knownId: number
  readonly answer: Promise<NewestTrade>
  resolve(newest: NewestTrade): void
  reject(reason: unknown): void
}

/** Questions that go out together. */
interface Batch {
  /** The exchange's time before they do. */
  readonly askedTime: number
  /** The exchange's time at the latest: it runs from the sending of the question for the time. */
  now(): number
  /** As in NewestTrade; empty without statistics. */
  tradeCounts: readonly number[]
}

/**
 * Asks for the newest trade ids of symbols, of many at once: at 2,000 symbols one by one cost 8,000 weight of the 4,800 of a minute,
 * their statistics of 24 hours 80.
 *
 * An answer counts as proof that nothing newer was missed, so an old one would prove what is not so. A statistic says itself up to when
 * it covers the trades (`closeTime`; the ones of symbols that are no longer traded stand still, closeTime included). It is believed only
 * when that is not before the exchange's clock as it was asked for after the question had come: what was traded until then
 * is in it. Everything else (older than that, without trades in 24 hours, refused) is asked for singly, as few symbols always are. A
 * lower id than one we know, in a statistic that claims to be recent enough, shows that the claim cannot be relied on: then statistics are
 * not used for a while.
 */
export class NewestTrades {
  readonly #options: NewestTradesOptions
  /** Not sent yet, by symbol: who asks before that shares the answer, who asks later has a new question. */
  readonly #waiting = new Map<string, Question>()
  #timer: NodeJS.Timeout | undefined
  /** When the first of those that wait is due. */
  #dueTime = Number.POSITIVE_INFINITY
  #distrustedUntil = Number.NEGATIVE_INFINITY

  constructor(options: NewestTradesOptions) {
    this.#options = options
  }

  /**
   * Answers that come together come in the order of how much the symbols are traded, the most first.
   * @param patienceMs how long the question may wait for others to go with
   * @throws RestError that retrying cannot cure; the signal's reason when it is aborted
   */
  ask({ symbol, sequence }: Pick<SymbolFeed, 'symbol' | 'sequence'>, patienceMs = GATHER_MS): Promise<NewestTrade> {
    let question = this.#waiting.get(symbol)
    if (question === undefined) {
      question = newQuestion(symbol)
      this.#waiting.set(symbol, question)
    }
    question.knownId = Math.max(question.knownId, sequence.seenId)
    this.#sendWithin(patienceMs)
    return question.answer
  }

  /** The first question that is due takes all others along. */
  #sendWithin(ms: number): void {
    const dueTime = performance.now() + ms
    if (dueTime >= this.#dueTime) return
    this.#dueTime = dueTime
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#send(), ms)
  }

  #send(): void {
    const questions = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#dueTime = Number.POSITIVE_INFINITY
    this.#answer(questions).catch(reason => {
      for (const question of questions) question.reject(reason)
    })
  }

  async #answer(questions: readonly Question[]): Promise<void> {
    const batch = await this.#newBatch()
    const open = new Map(questions.map(question => [question.symbol, question]))
    await this.#answerTogether(open, batch)
    for (const question of open.values()) this.#answerSingly(question, batch)
  }

  async #newBatch(): Promise<Batch> {
    const { rest, signal, log } = this.#options
    let sentTime = 0
    const ask = () => {
      sentTime = performance.now()
      return rest.serverTime()
    }
    const askedTime = await retrying(ask, { signal, log })
    return { askedTime, now: () => askedTime + Math.ceil(performance.now() - sentTime), tradeCounts: [] }
  }

  /** Takes out of `open` what can be answered by statistics. */
  async #answerTogether(open: Map<string, Question>, batch: Batch): Promise<void> {
    const { signal, manyMin = MANY_MIN } = this.#options
    for (let round = 0; round < ROUNDS_MAX && open.size >= manyMin; round++) {
      if (performance.now() < this.#distrustedUntil) return
      if (round > 0) await delay(ROUND_PAUSE_MS, signal)
      signal.throwIfAborted()
      const statistics = await this.#statisticsOf([...open.keys()])
      if (statistics.size === 0) return
      // An old statistic proves no id, and says well enough how much a symbol is traded.
      if (round === 0) batch.tradeCounts = [...statistics.values()].map(of => of.tradeCount).sort((a, b) => b - a)
      const recent = [...statistics.values()].filter(({ closeTime }) => closeTime >= batch.askedTime)
      const wrong = recent.find(({ symbol, lastTradeId }) => lastTradeId < open.get(symbol)!.knownId)
      if (wrong !== undefined) return this.#distrust(wrong, open.get(wrong.symbol)!)
      const { askedTime, tradeCounts } = batch
      const answeredTime = batch.now()
      for (const { symbol, lastTradeId, tradeCount } of recent.sort((a, b) => b.tradeCount - a.tradeCount)) {
        open.get(symbol)!.resolve({ tradeId: lastTradeId, askedTime, answeredTime, tradeCount, tradeCounts })
        open.delete(symbol)
      }
      // Symbols without a trade in 24 hours will have none in the next round either.
      for (const symbol of [...open.keys()].filter(symbol => !statistics.has(symbol))) {
        this.#answerSingly(open.get(symbol)!, batch)
        open.delete(symbol)
      }
    }
  }

  /** Nothing when the exchange does not answer such a question; each symbol has its own then. */
  async #statisticsOf(symbols: readonly string[]): Promise<ReadonlyMap<string, TradeStatistic>> {
    const { rest, signal, log } = this.#options
    let failures = 0
    const attempt = async () => {
      try {
        return await rest.tradeStatistics(symbols)
      } catch (error) {
        if (!(error instanceof RestError) || (error.retryable && ++failures < ATTEMPTS_MAX)) throw error
        log.warn({ reason: error.message, symbols: symbols.length }, 'no statistics of trades; asking for each symbol')
        return new Map<string, TradeStatistic>()
      }
    }
    return retrying(attempt, { signal, log })
  }

  #distrust({ symbol, lastTradeId }: TradeStatistic, { knownId }: Question): void {
    this.#distrustedUntil = performance.now() + DISTRUST_MS
    const message = 'statistics are behind what they claim to cover; asking for each symbol for a while'
    this.#options.log.warn({ symbol, lastTradeId, knownId }, message)
  }

  #answerSingly({ symbol, resolve, reject }: Question, { askedTime, now, tradeCounts }: Batch): void {
    const { rest, signal, log } = this.#options
    retrying(() => rest.latestTradeId(symbol), { signal, log })
      .then(tradeId => resolve({ tradeId, askedTime, answeredTime: now(), tradeCount: 0, tradeCounts }))
      .catch(reject)
  }
}

function newQuestion(symbol: string): Question {
  const { promise: answer, resolve, reject } = Promise.withResolvers<NewestTrade>()
  return { symbol, knownId: -1, answer, resolve, reject }
}
