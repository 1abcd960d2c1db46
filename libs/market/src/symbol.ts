/** A symbol's form on the exchange: upper case letters and digits. Checked before it becomes part of a key or a stream name. */
const SYMBOL = /^[A-Z0-9]{2,30}$/

/** True for the form of a symbol, `BTCUSDT`; whether it is served is another question. */
export function isSymbol(text: string): boolean {
  return SYMBOL.test(text)
}

/** What is known about a symbol's feed. */
export type FeedState =
  /** Trades arrive, none is missing. */
  | 'live'
  /** Trades are missing and are being fetched by id; later ones wait. */
  | 'backfilling'
  /** The feed is silent as a whole: nothing is known, so nothing is invented. */
  | 'stale'
  /** The exchange has stopped trading the symbol: it makes no bars, and neither do we. */
  | 'halted'
