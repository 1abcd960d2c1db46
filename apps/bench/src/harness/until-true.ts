/** How often a condition is looked at, where nothing is measured by it. */
const LOOK_MS = 20

/** Waits until `condition` holds. @throws Error when it does not within `withinMs` */
export async function untilTrue(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs: number,
  lookMs = LOOK_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, lookMs))
  }
}
