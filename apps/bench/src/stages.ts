import type { Stage } from './harness/stage.ts'
import { wholeWayStage } from './stages/whole-way/whole-way-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [wholeWayStage]
