const FIRST_MS = 1_000
/** A page that was away for long is back this soon after its server is. */
const LONGEST_MS = 10_000

/** How long to wait before try number `tries` (0 is the first): doubling, drawn between half and all, so that pages do not come at once. */
export function backoffMs(tries: number, random = Math.random()): number {
  const longest = Math.min(FIRST_MS * 2 ** Math.min(tries, 10), LONGEST_MS)
  return longest * (0.5 + random / 2)
}
