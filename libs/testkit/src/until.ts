import { setTimeout as sleep } from 'node:timers/promises'

/** Generous: other work shares the machine, and a bound only ends a test that is lost anyway. */
const UNTIL_MS = 60_000

/** Waits until `condition` holds; one that throws does not hold. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms: number = UNTIL_MS,
): Promise<void> {
  const deadline = Date.now() + ms
  let last: unknown
  for (;;) {
    try {
      if (await condition()) return
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`not so after ${ms} ms: ${what}`, { cause: last })
    await sleep(20)
  }
}
