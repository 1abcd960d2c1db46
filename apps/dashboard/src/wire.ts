/**
 * What the page asks of its server and is told: the one place that both sides have in common, and so without Node and without a browser.
 *
 * - `GET /api/symbols` → SymbolsAnswer
 * - `GET /api/bars?symbol=BTCUSDT&interval=1m&before=1763876000000&limit=500` → BarsAnswer
 * - `GET /api/stream?series=BTCUSDT:1m@1763876000000,ETHUSDT:5m` → server-sent events `history`, `bar` and `feed`, each with one of the
 *   values below as its data, and with an id by which a browser that lost the connection goes on (`Last-Event-ID`).
 *
 * A refused request has a status of 4xx or 503 and an ErrorAnswer.
 */
import type { BarText, FeedState } from '@chart/market'

/** One symbol and one interval; as text `BTCUSDT:1m`. */
export interface SeriesName {
  readonly symbol: string
  readonly interval: string
}

/** A series of a stream. `from` is the openTime of the newest bar that the page holds: older closed bars come only if they were corrected. */
export interface WantedSeries extends SeriesName {
  readonly from?: number
}

/** How the feed of one symbol is; `unknown` before it was ever heard, `behind` where trades arrive and bars do not follow. */
export interface FeedView {
  readonly symbol: string
  readonly state: FeedState | 'behind' | 'unknown'
  /** When the exchange matched the newest trade; absent before the first. */
  readonly lastTradeTime?: number
}

/** What is served. */
export interface SymbolsAnswer {
  readonly symbols: readonly SymbolView[]
  /** Names of all intervals, shortest first. */
  readonly intervals: readonly string[]
}

export interface SymbolView {
  readonly symbol: string
  /** The exchange's word: TRADING, HALT, BREAK. */
  readonly status: string
  /** Smallest steps, "0.01000000": how many decimals are worth showing. Empty when not known yet. */
  readonly tickSize: string
  readonly stepSize: string
  /** True where the trades are invented by a simulator. */
  readonly simulated: boolean
  readonly feed: FeedView
}

/** Closed bars of one series from before a moment, oldest first. */
export interface BarsAnswer {
  readonly bars: readonly BarText[]
  /** There is nothing before these. */
  readonly isFirst: boolean
}

/**
 * Event `history`: a series as the page joins it, or what it lacks after a reconnect. Comes once for each series and connection, and
 * again where the server itself may have missed bars. Bars that it tells take their place as those of event `bar` do: a newer version
 * that the page was told before stays.
 */
export interface HistoryEvent extends SeriesName {
  /** Closed bars, oldest first. */
  readonly bars: readonly BarText[]
  /**
   * True: these are all that the page is to hold, for it holds none, or too many are missing; what was told since the connection began
   * comes again after them. False: they are put in among its own.
   */
  readonly replace: boolean
  /** Only where `replace`: there is nothing before these bars. */
  readonly isFirst: boolean
}

/**
 * Event `bar`: a live bar after a change, a bar that has closed, or a correction, as `state` and `revision` say. It takes the place of the
 * bar with the same openTime, unless that one is newer: closed against live, or of a higher revision.
 */
export type BarEvent = BarText

/**
 * Event `feed`: of each symbol of the stream, when it begins, whenever one changes, and where nothing else was told for five seconds: so a
 * page can tell a quiet market from a dead connection.
 */
export type FeedEvent = readonly FeedView[]

/** Why a request was refused, and what to do. */
export interface ErrorAnswer {
  readonly error: string
}

/** `BTCUSDT:1m` */
export function textOfSeries({ symbol, interval }: SeriesName): string {
  return `${symbol}:${interval}`
}

/** The series of a stream's address: `BTCUSDT:1m@1763876000000,ETHUSDT:5m`. */
export function textOfWanted(series: readonly WantedSeries[]): string {
  return series.map(one => textOfSeries(one) + (one.from === undefined ? '' : `@${one.from}`)).join()
}

/** The inverse of textOfWanted; undefined for a text of another form. Says nothing of whether the series are served. */
export function wantedOfText(text: string): WantedSeries[] | undefined {
  const series: WantedSeries[] = []
  for (const part of text.split(',')) {
    const match = /^([A-Z0-9]{2,30}):(\d{1,3}[a-z])(?:@(\d{1,15}))?$/.exec(part)
    if (match === null) return undefined
    const [, symbol, interval, from] = match
    series.push({ symbol: symbol!, interval: interval!, ...(from !== undefined && { from: Number(from) }) })
  }
  return series
}
