import { setTimeout as sleep } from 'node:timers/promises'

/** All unary calls of the API only read, so each may be made again. */
const ATTEMPTS_MAX = 4
/** Before the second attempt; doubles with each, and is drawn from half of it up. */
const PAUSE_MS = 100

/**
 * Makes a call again while there is no edge to answer it, or its answer broke off.
 * @param attempt is given the time that is left, in milliseconds
 * @throws what the last attempt threw
 */
export async function repeatCall<Response>(
  attempt: (withinMs: number) => Promise<Response>,
  { withinMs, isRepeatable }: { withinMs: number; isRepeatable(error: unknown): boolean },
): Promise<Response> {
  const deadline = performance.now() + withinMs
  for (let made = 1; ; made++) {
    try {
      return await attempt(deadline - performance.now())
    } catch (error) {
      const pauseMs = PAUSE_MS * 2 ** (made - 1) * (0.5 + Math.random() / 2)
      const isInTime = performance.now() + pauseMs < deadline
      if (made === ATTEMPTS_MAX || !isInTime || !isRepeatable(error)) throw error
      await sleep(pauseMs)
    }
  }
}
