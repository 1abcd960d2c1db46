/** Short enough to follow the market, long enough that a quiet symbol's number does not jump. */
const windowMs = 5_000

/**
 * Trades per second from the trade ids seen: the exchange numbers a symbol's trades without holes, so the difference of
 * two ids is the number of trades between them.
 */
export function createTradeRate(): (lastTradeId: number, now: number) => number | undefined {
  let seen: { readonly time: number; readonly tradeId: number }[] = []
  return (lastTradeId, now) => {
    // An id that goes back is another market: what was seen says nothing about it.
    if (lastTradeId < (seen.at(-1)?.tradeId ?? lastTradeId)) seen = []
    seen.push({ time: now, tradeId: lastTradeId })
    // One sample at or before the window's start stays, so that the window is covered.
    while (seen.length > 2 && seen[1]!.time <= now - windowMs) seen.shift()
    const first = seen[0]!
    if (now - first.time < 1_000) return undefined
    return ((lastTradeId - first.tradeId) * 1_000) / (now - first.time)
  }
}
