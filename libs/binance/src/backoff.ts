/** How long to wait before trying again: a random time below a bound that doubles with every failure. */
export interface Backoff {
  /** Bound of the first wait. */
  readonly firstMs: number
  /** Bound of every later wait. */
  readonly longestMs: number
}

/**
 * Sockets. A lone disconnect costs 125 ms in the mean. With the cap a feed asks 60 times in five minutes at most in the
 * mean, a fifth of the exchange's 300 an address.
 */
export const RECONNECT_BACKOFF: Backoff = { firstMs: 250, longestMs: 10_000 }

/** REST. Rarer, since a request costs weight also when it fails; a gap can wait, its later trades do not get lost. */
export const REST_BACKOFF: Backoff = { firstMs: 500, longestMs: 30_000 }

/**
 * Milliseconds to wait after `failures` failures in a row (1, 2, 3 …). Full jitter, 0 up to the bound, so that everyone whom one
 * outage cut off does not come back in step.
 * @param random answers 0 ≤ r < 1
 */
export function backoffDelayMs(backoff: Backoff, failures: number, random: () => number = Math.random): number {
  // 2^30 is past every cap; without the bound a long outage would reach Infinity.
  const doublings = Math.min(Math.max(failures - 1, 0), 30)
  return random() * Math.min(backoff.longestMs, backoff.firstMs * 2 ** doublings)
}
