import { isSymbol, type Trade } from '@chart/market'
import { type Log, SILENT } from './log.ts'
import { RequestGate } from './request-gate.ts'
import { jsonOf, messageOf, pauseMsOf, refusalOf, textOf } from './rest-answer.ts'
import { isLimit, RestError, UnknownSymbolError } from './rest-error.ts'
import {
  type Kline,
  klinesOf,
  listOf,
  recordOf,
  type SymbolInfo,
  serverTimeOf,
  symbolInfosOf,
  type TradeSpan,
  type TradeStatistic,
  tradeSpansOf,
  tradeStatisticsOf,
} from './rest-message.ts'
import { MalformedMessageError, tradeOfRestRow } from './trade-message.ts'

export interface BinanceRestOptions {
  /** `https://api.binance.com`; only this host is ever asked, redirects are refused. */
  apiUrl: string
  /** Ends every request, also the waiting ones, with its reason. */
  signal?: AbortSignal
  /** What we allow ourselves of the exchange's 6,000: by default 80 %, the rest is for a standby at the same address. */
  weightMaxPerMinute?: number
  /** From sending to the last byte; waiting for our turn does not count. */
  requestTimeoutMs?: number
  log?: Log
  /** The exchange has said stop, with this HTTP status (see STOP_STATUSES); nothing is asked until it allows it. */
  onStop?: (status: number) => void
}

/** The exchange's REST as the service uses it, through BinanceRest or, in a simulation, without a network. */
export type ExchangeRest = Pick<
  BinanceRest,
  'exchangeInfo' | 'firstTradeIdSince' | 'klines' | 'latestTradeId' | 'serverTime' | 'tradeRows' | 'tradeStatistics'
>

/** Rows of one historicalTrades answer. Ids ascend; blanked rows are left out of `trades` and counted in the rest. */
export interface RestTrades {
  readonly trades: Trade[]
  readonly rowCount: number
  /** Highest id among all rows, blanked ones too; undefined without rows. */
  readonly lastRowId: number | undefined
}

/** Rows in one answer, the exchange's maximum. */
export const ROWS_MAX = 1_000

const WEIGHT_MAX_PER_MINUTE = 4_800
const REQUEST_TIMEOUT_MS = 10_000

/** Names in one exchangeInfo call. More would come near the 8 KB that web servers take as a URL; the full list costs the same. */
const NAMED_SYMBOLS_MAX = 100

/**
 * Symbols in one question for statistics: up to 20 cost the weight of one, 2; from the 21st on a question costs 40. From the number
 * at which groups cost as much (800 symbols in 40 groups) all that the exchange has is asked for at once, which costs 80.
 */
const STATISTICS_GROUP_MAX = 20
const STATISTICS_GROUP_WEIGHT = 2
const STATISTICS_ALL_WEIGHT = 80

/** The exchange's number for an unknown symbol. It refuses the whole call and does not say which. */
const UNKNOWN_SYMBOL_CODE = -1121

/**
 * Binance's REST API, as far as we need it; no key. Every method waits for the weight it costs, throws RestError when there is no
 * proper answer (ask its `retryable`), and never retries by itself: retrying.ts and its callers do.
 */
export class BinanceRest {
  readonly #apiUrl: string
  readonly #signal: AbortSignal | undefined
  readonly #requestTimeoutMs: number
  readonly #log: Log
  readonly #onStop: (status: number) => void
  readonly #gate: RequestGate

  constructor(options: BinanceRestOptions) {
    this.#apiUrl = options.apiUrl.replace(/\/+$/, '')
    this.#signal = options.signal
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
    this.#log = options.log ?? SILENT
    this.#onStop = options.onStop ?? (() => undefined)
    this.#gate = new RequestGate({ weightMaxPerMinute: options.weightMaxPerMinute ?? WEIGHT_MAX_PER_MINUTE })
  }

  /** The exchange's clock. Weight 1. */
  serverTime(): Promise<number> {
    return this.#ask('/api/v3/time', {}, 1, serverTimeOf)
  }

  /**
   * What the exchange knows of `symbols`, in their order. Weight 20, 40 when one is unknown.
   * @throws UnknownSymbolError naming those it does not know
   */
  async exchangeInfo(symbols: readonly string[]): Promise<SymbolInfo[]> {
    // Anything else in a name is refused by the exchange as an illegal character, again without saying in which.
    const impossible = symbols.filter(symbol => !isSymbol(symbol))
    if (impossible.length > 0) throw new UnknownSymbolError(impossible)
    if (symbols.length === 0) return []
    const wanted = new Set(symbols)
    const answer = (parameters: Record<string, string>) =>
      this.#ask('/api/v3/exchangeInfo', parameters, 20, value => symbolInfosOf(value, wanted))
    let infos: SymbolInfo[]
    let cause: unknown
    try {
      const named = wanted.size <= NAMED_SYMBOLS_MAX
      infos = await answer(named ? { symbols: JSON.stringify([...wanted]) } : {})
    } catch (error) {
      if (!(error instanceof RestError) || error.code !== UNKNOWN_SYMBOL_CODE) throw error
      cause = error
      infos = await answer({})
    }
    const bySymbol = new Map(infos.map(info => [info.symbol, info]))
    const unknown = [...wanted].filter(symbol => !bySymbol.has(symbol))
    if (unknown.length > 0) throw new UnknownSymbolError(unknown, { cause })
    return symbols.map(symbol => bySymbol.get(symbol)!)
  }

  /** Single trades from `fromId` on, ascending by id, without blanked rows. Weight 25. */
  async historicalTrades(symbol: string, fromId: number, limit = ROWS_MAX): Promise<Trade[]> {
    return (await this.tradeRows(symbol, fromId, limit)).trades
  }

  /** As historicalTrades, with what a caller needs who pages: how many rows there were, and up to which id. Weight 25. */
  tradeRows(symbol: string, fromId: number, limit = ROWS_MAX, signal?: AbortSignal): Promise<RestTrades> {
    const parameters = { symbol, fromId: String(fromId), limit: String(limit) }
    return this.#ask('/api/v3/historicalTrades', parameters, 25, answer => restTradesOf(answer, fromId), signal)
  }

  /** The newest trade, or undefined when there never was one. Weight 25. */
  async latestTrade(symbol: string): Promise<Trade | undefined> {
    return (await this.#ask('/api/v3/trades', { symbol, limit: '1' }, 25, answer => restTradesOf(answer, 0))).trades.at(
      -1,
    )
  }

  /**
   * Id of the first trade with tradeTime ≥ `time`, or undefined when there is none yet. Weight 4.
   * startTime alone answers the oldest first from there on, however far away; with endTime the exchange allows one hour only.
   * Blanked rows are stepped over.
   */
  async firstTradeIdSince(symbol: string, time: number): Promise<number | undefined> {
    let spans = await this.#tradeSpans({ symbol, startTime: String(time), limit: '1' })
    while (spans.length > 0) {
      const first = spans.find(span => span.firstTradeId >= 0)
      if (first !== undefined) return first.firstTradeId
      const fromId = String(spans.at(-1)!.aggregateId + 1)
      spans = await this.#tradeSpans({ symbol, fromId, limit: String(ROWS_MAX) })
    }
    return undefined
  }

  /** Id of the newest trade, or undefined when there never was one. Weight 4, a sixth of latestTrade's. */
  async latestTradeId(symbol: string): Promise<number | undefined> {
    const [newest] = await this.#tradeSpans({ symbol, limit: '1' })
    if (newest === undefined) return undefined
    return newest.lastTradeId >= 0 ? newest.lastTradeId : (await this.latestTrade(symbol))?.tradeId
  }

  /**
   * What the exchange's statistics of the last 24 hours say of the newest trades of many symbols: weight 2 for each 20, at most 80.
   * A symbol without a trade in 24 hours is left out, and so is a group of 20 in which there is one that the exchange does not know
   * (it refuses the whole question): whoever needs them asks for each with latestTradeId.
   */
  async tradeStatistics(symbols: readonly string[]): Promise<Map<string, TradeStatistic>> {
    const wanted = new Set(symbols)
    const names = [...wanted]
    const groups: string[][] = []
    for (let from = 0; from < names.length; from += STATISTICS_GROUP_MAX) {
      groups.push(names.slice(from, from + STATISTICS_GROUP_MAX))
    }
    const ask = (parameters: Record<string, string>, weight: number) =>
      this.#ask('/api/v3/ticker/24hr', { ...parameters, type: 'MINI' }, weight, row => tradeStatisticsOf(row, wanted))
    const answers =
      groups.length * STATISTICS_GROUP_WEIGHT >= STATISTICS_ALL_WEIGHT
        ? [ask({}, STATISTICS_ALL_WEIGHT)]
        : groups.map(group => ask({ symbols: JSON.stringify(group) }, STATISTICS_GROUP_WEIGHT).catch(noneIfUnknown))
    return new Map((await Promise.all(answers)).flat().map(statistic => [statistic.symbol, statistic]))
  }

  /** The exchange's own bars, oldest first; times are of their openTime, both inclusive. Weight 2. */
  klines(
    symbol: string,
    interval: string,
    range: { startTime?: number; endTime?: number; limit?: number } = {},
  ): Promise<Kline[]> {
    const parameters: Record<string, string> = { symbol, interval }
    for (const [name, value] of Object.entries(range)) if (value !== undefined) parameters[name] = String(value)
    return this.#ask('/api/v3/klines', parameters, 2, klinesOf)
  }

  #tradeSpans(parameters: Record<string, string>): Promise<TradeSpan[]> {
    return this.#ask('/api/v3/aggTrades', parameters, 4, tradeSpansOf)
  }

  async #ask<T>(
    path: string,
    parameters: Record<string, string>,
    weight: number,
    translate: (answer: unknown) => T,
    callerSignal?: AbortSignal,
  ): Promise<T> {
    const signals = [this.#signal, callerSignal].filter(signal => signal !== undefined)
    const signal = AbortSignal.any(signals)
    await this.#gate.enter(weight, signal)
    try {
      const answer = await this.#get(path, new URLSearchParams(parameters).toString(), signal)
      try {
        return translate(answer)
      } catch (cause) {
        if (!(cause instanceof MalformedMessageError)) throw cause
        throw new RestError(`${path}: ${cause.message}`, { status: 200, malformed: true, cause })
      }
    } finally {
      this.#gate.leave()
    }
  }

  async #get(path: string, query: string, signal: AbortSignal): Promise<unknown> {
    let response: Response
    let text: string
    try {
      response = await fetch(this.#apiUrl + path + (query && `?${query}`), {
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#requestTimeoutMs)]),
      })
      this.#heed(response, path)
      text = await textOf(response)
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof RestError) throw cause
      throw new RestError(`${path}: ${messageOf(cause)}`, { status: 0, cause })
    }
    const answer = jsonOf(text)
    if (!response.ok) throw refusalOf(path, response, answer)
    if (answer === undefined) {
      throw new RestError(`${path}: the answer is not JSON`, { status: response.status, malformed: true })
    }
    return answer
  }

  /** Keeps what the exchange says about our use of it, before anyone else gets through the gate. */
  #heed(response: Response, path: string): void {
    const usedWeight = Number(response.headers.get('x-mbx-used-weight-1m') ?? Number.NaN)
    if (Number.isSafeInteger(usedWeight)) this.#gate.correct(usedWeight)
    if (!isLimit(response.status)) return
    const pauseMs = pauseMsOf(response)
    this.#gate.stopFor(pauseMs)
    this.#onStop(response.status)
    this.#log.warn(
      { status: response.status, path, pauseMs, usedWeight },
      'the exchange says stop: no requests meanwhile',
    )
  }
}

function noneIfUnknown(error: unknown): TradeStatistic[] {
  if (error instanceof RestError && error.code === UNKNOWN_SYMBOL_CODE) return []
  throw error
}

function restTradesOf(answer: unknown, fromId: number): RestTrades {
  const trades: Trade[] = []
  let lastRowId = fromId - 1
  const rows = listOf(answer, 'trades')
  for (const row of rows) {
    const { id } = recordOf(row, 'trade')
    // Ids before what was asked for, repeated or falling back would let a pager skip or repeat trades: no proper answer.
    if (!Number.isSafeInteger(id) || (id as number) <= lastRowId) {
      throw new MalformedMessageError(`trade id ${id} follows ${lastRowId}`)
    }
    lastRowId = id as number
    const trade = tradeOfRestRow(row)
    if (trade !== undefined) trades.push(trade)
  }
  return { trades, rowCount: rows.length, lastRowId: rows.length > 0 ? lastRowId : undefined }
}
