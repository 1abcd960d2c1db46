import { untilTrue } from '../../harness/until-true.ts'

/** How far a partition is; null before its first step. */
export interface Step {
  readonly at: string | null
  /** Who has it now. */
  readonly by: string | null
}

/** How often is looked, so exact are the times. */
const LOOK_MS = 3
/** A machine where it takes longer is too busy to measure anything. */
const WAIT_MAX_MS = 60_000

/** Waits for the first step of any of `tags`. */
export function untilFirstStep(tags: readonly string[], stepOf: (tag: string) => Promise<Step>): Promise<void> {
  const steps = async () => Promise.all(tags.map(stepOf))
  return untilTrue(async () => (await steps()).some(({ at }) => at !== null), 'a first step', WAIT_MAX_MS, LOOK_MS)
}

/**
 * Disturbs whoever does the steps of `tags`, and gives the longest time (ms) in which any of them stood still, until each has made a step by
 * another. Whoever is asked to stop goes on for a moment, which is no silence.
 */
export async function silenceOf(
  tags: readonly string[],
  stepOf: (tag: string) => Promise<Step>,
  disturb: () => void,
): Promise<number> {
  const before = await Promise.all(tags.map(stepOf))
  disturb()
  const begun = performance.now()
  const watched = tags.map((tag, index) => ({ tag, last: before[index]!, since: begun, isOver: false }))
  let longest = 0
  const look = async () => {
    const rest = watched.filter(({ isOver }) => !isOver)
    const steps = await Promise.all(rest.map(({ tag }) => stepOf(tag)))
    const now = performance.now()
    for (const [index, one] of rest.entries()) {
      const step = steps[index]!
      if (step.at === one.last.at) continue
      longest = Math.max(longest, now - one.since)
      one.isOver = step.by !== before[tags.indexOf(one.tag)]!.by
      one.last = step
      one.since = now
    }
    return watched.every(({ isOver }) => isOver)
  }
  await untilTrue(look, 'every partition goes on by another', WAIT_MAX_MS, LOOK_MS)
  return longest
}
