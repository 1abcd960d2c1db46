/** One symbol of so many is quiet: most of its seconds have no trade, and are closed by watermarks as flat bars. */
const QUIET_SHARE = 10
/** Trades a second of a quiet symbol. */
const QUIET_RATE = 0.3
/** Trades a second by symbol: the quiet ones last, of the others the n-th has 1/√n of the first, about as on the exchange. */
export function ratesOf(symbols: readonly string[], rate: number): Map<string, number> {
  const quietCount = Math.floor(symbols.length / QUIET_SHARE)
  const busyCount = symbols.length - quietCount
  const weights = symbols.slice(0, busyCount).map((_, index) => 1 / Math.sqrt(index + 1))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return new Map(
    symbols.map((symbol, index) => [symbol, index < busyCount ? (rate * weights[index]!) / sum : QUIET_RATE]),
  )
}
