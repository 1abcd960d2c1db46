import type { BarText, ChartClient, ChartErrorCode, ListBarsOptions } from '@chart/client'
import { ChartError } from '@chart/client'
import { delay, type Log } from '@chart/service'
import type { HistoryResult, Metrics } from './metrics.ts'
import { HistoryUnavailableError } from './refused-request.ts'
import { SharedQuestions, TooManyQuestionsError } from './shared-questions.ts'
import type { BarsAnswer, HistoryEvent, SeriesName } from './wire.ts'

/** Closed bars that a page begins with: two screens of them. */
export const FIRST_BARS = 500

/** Closed bars of one answer: the largest page of an edge. A page that lacks more begins anew. */
export const ANSWER_BARS_MAX = 1_000

/** Questions to the edges at a time; a connection takes a hundred calls. */
const ASKED_MAX = 16

/** Questions that wait for their turn: every series of some hundred pages that all look at something else. */
const WAITING_MAX = 2_000

/** History that could not be had is asked for again after this long; where asking again cannot help before someone acts, more seldom. */
const AGAIN_MS = 1_000
const AGAIN_AFTER_REFUSAL_MS = 10_000

/** Codes that say that the edges, or the way to them, have trouble that passes. An edge hears of a new symbol up to a second after us. */
const PASSING: ReadonlySet<ChartErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'CANCELLED',
  'INTERNAL',
  'NOT_FOUND',
])

/** What a page lacks of a series, as the event that tells it. */
export interface HistoryTelling {
  /** The lines of a server-sent event, without an id and without the empty line that ends it. */
  readonly text: string
  readonly replace: boolean
  /** Of the newest bar told; undefined where there is none. */
  readonly newestOpenTime: number | undefined
}

export interface HistoryOptions {
  readonly client: Pick<ChartClient, 'listBarsPage'>
  readonly metrics: Metrics
  readonly log: Log
}

/** Closed bars, asked for at the edges. Equal questions are asked once, and their answers are made into text once. */
export class History {
  readonly #options: HistoryOptions
  readonly #questions = new SharedQuestions({ askedMax: ASKED_MAX, waitingMax: WAITING_MAX })
  #isFailing = false

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /**
   * What a page lacks that holds the bars of a series up to the one that opens at `from`, asked until an edge answers. That one may have
   * been live, and so is told as well.
   * @param from undefined: the page holds none
   * @returns undefined when the signal was aborted first
   */
  async bring(series: SeriesName, from: number | undefined, signal: AbortSignal): Promise<HistoryTelling | undefined> {
    while (!signal.aborted) {
      try {
        return await this.#lacking(series, from)
      } catch (error) {
        if (!(error instanceof HistoryUnavailableError)) throw error
        const { cause } = error
        const passes = !(cause instanceof ChartError) || PASSING.has(cause.code)
        await delay(passes ? AGAIN_MS : AGAIN_AFTER_REFUSAL_MS, signal)
      }
    }
    return undefined
  }

  /**
   * Closed bars from before a moment, oldest first, as JSON of a BarsAnswer.
   * @throws HistoryUnavailableError
   */
  before(series: SeriesName, before: number | undefined, limit: number): Promise<string> {
    return this.#asked(`before ${keyOf(series)} ${before} ${limit}`, async () => {
      const { bars, isFirst } = await this.#newest(series, before, limit)
      const answer: BarsAnswer = { bars, isFirst }
      return JSON.stringify(answer)
    })
  }

  /**
   * One page of bars.
   * @throws HistoryUnavailableError
   */
  page(options: ListBarsOptions): Promise<{ bars: readonly BarText[]; hasMore: boolean }> {
    return this.#asked(`page ${JSON.stringify(options)}`, async () => {
      const { bars, nextPageToken } = await this.#options.client.listBarsPage(options)
      return { bars, hasMore: nextPageToken !== undefined }
    })
  }

  #lacking(series: SeriesName, from: number | undefined): Promise<HistoryTelling> {
    return this.#asked(`lacking ${keyOf(series)} ${from}`, async () => {
      if (from === undefined) return this.#begin(series)
      const since = await this.#options.client.listBarsPage({ ...series, startTime: from, pageSize: ANSWER_BARS_MAX })
      if (since.nextPageToken !== undefined) return this.#begin(series)
      const before = await this.#newest(series, from, ANSWER_BARS_MAX)
      const corrected = before.bars.filter(({ revision }) => revision > 0)
      return tellingOf({ ...series, bars: [...corrected, ...since.bars], replace: false, isFirst: false })
    })
  }

  async #begin(series: SeriesName): Promise<HistoryTelling> {
    const { bars, isFirst } = await this.#newest(series, undefined, FIRST_BARS)
    return tellingOf({ ...series, bars, replace: true, isFirst })
  }

  async #newest({ symbol, interval }: SeriesName, before: number | undefined, limit: number): Promise<BarsAnswer> {
    const page = await this.#options.client.listBarsPage({
      symbol,
      interval,
      ...(before !== undefined && { endTime: before }),
      order: 'newest-first',
      pageSize: limit,
    })
    return { bars: page.bars.toReversed(), isFirst: page.nextPageToken === undefined }
  }

  async #asked<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const { metrics, log } = this.#options
    const end = metrics.historySeconds.startTimer()
    let result: HistoryResult = 'unavailable'
    try {
      const answer = await this.#questions.ask(key, ask)
      result = 'ok'
      if (this.#isFailing) log.info('edges tell history again')
      this.#isFailing = false
      return answer
    } catch (error) {
      if (!(error instanceof ChartError || error instanceof TooManyQuestionsError)) throw error
      if (error instanceof ChartError && !PASSING.has(error.code)) result = 'refused'
      if (!this.#isFailing) log.warn({ reason: error.message }, 'no history; live bars go on')
      this.#isFailing = true
      throw new HistoryUnavailableError(error)
    } finally {
      end()
      metrics.historyRequests.inc({ result })
    }
  }
}

function tellingOf(event: HistoryEvent): HistoryTelling {
  return {
    text: `event: history\ndata: ${JSON.stringify(event)}\n`,
    replace: event.replace,
    newestOpenTime: event.bars.at(-1)?.openTime,
  }
}

function keyOf({ symbol, interval }: SeriesName): string {
  return `${symbol}:${interval}`
}
