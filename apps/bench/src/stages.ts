import type { Stage } from './harness/stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = []
