import { setTimeout as sleep } from 'node:timers/promises'

/** How often is looked. */
const LOOK_MS = 20
/** A machine where anything takes longer is too busy to measure on. */
const WAIT_MAX_MS = 60_000

/** @throws Error when `condition` does not come true, naming `what` */
export async function untilTrue(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MAX_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MAX_MS} ms: ${what}`)
    await sleep(LOOK_MS)
  }
}
