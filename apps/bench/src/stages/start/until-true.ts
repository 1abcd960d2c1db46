import { setTimeout as sleep } from 'node:timers/promises'

/** A machine where something takes longer is too busy to measure anything. */
const WAIT_MAX_MS = 120_000

/** Looks every `everyMs` until `condition` holds. */
export async function untilTrue(
  what: string,
  condition: () => boolean | Promise<boolean>,
  everyMs: number,
): Promise<void> {
  const deadline = performance.now() + WAIT_MAX_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MAX_MS} ms: ${what}`)
    await sleep(everyMs)
  }
}
