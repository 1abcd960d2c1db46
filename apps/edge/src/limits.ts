import type { EnvReader } from '@chart/service'

/** What a client may ask for and cost. Every bound of the edge that an operator may want to move is here, with its variable. */
export interface EdgeLimits {
  /** Symbols in one StreamBars call. */
  readonly symbolsMax: number
  /** Closed bars of one series that StreamBars tells from a moment or position on, and of all series of a call. */
  readonly historyBarsMax: number
  readonly historyBarsPerCallMax: number
  /** Bars in one page of ListBars. */
  readonly pageSizeMax: number
  /** Closed bars kept for a client that does not keep up. */
  readonly closedKeptMax: number
  /** A client that has not read for this long is let go of. */
  readonly slowMaxMs: number
  /** A stream is ended after this long, 20 % more or less, so that clients come to new edges and show their keys again. */
  readonly streamAgeMs: number
  /** The streams of an edge that stops are ended over this long, so that the others are not stormed. */
  readonly drainSpreadMs: number
}

export const DEFAULT_LIMITS: EdgeLimits = {
  symbolsMax: 200,
  // A week of minutes.
  historyBarsMax: 10_000,
  historyBarsPerCallMax: 100_000,
  pageSizeMax: 1_000,
  // An hour of seconds, or a day and more of minutes for several symbols.
  closedKeptMax: 4_000,
  slowMaxMs: 30_000,
  streamAgeMs: 30 * 60_000,
  drainSpreadMs: 5_000,
}

export function readLimits(env: EnvReader): EdgeLimits {
  const integer = (name: string, limit: keyof EdgeLimits, min: number, max: number) =>
    env.integer(name, DEFAULT_LIMITS[limit], { min, max })
  return {
    symbolsMax: integer('STREAM_SYMBOLS_MAX', 'symbolsMax', 1, 10_000),
    historyBarsMax: integer('STREAM_HISTORY_BARS_MAX', 'historyBarsMax', 1, 1_000_000),
    historyBarsPerCallMax: integer('STREAM_HISTORY_BARS_PER_CALL_MAX', 'historyBarsPerCallMax', 1, 10_000_000),
    pageSizeMax: integer('PAGE_SIZE_MAX', 'pageSizeMax', 1, 1_000),
    closedKeptMax: integer('SLOW_CLIENT_BARS_MAX', 'closedKeptMax', 1, 1_000_000),
    slowMaxMs: integer('SLOW_CLIENT_MAX_MS', 'slowMaxMs', 100, 3_600_000),
    streamAgeMs: integer('STREAM_AGE_MS', 'streamAgeMs', 100, 86_400_000),
    drainSpreadMs: integer('DRAIN_SPREAD_MS', 'drainSpreadMs', 0, 15_000),
  }
}
