import type { Stage } from './harness/stage.ts'
import { feedStage } from './stages/feed/feed-stage.ts'
import { rulesStage } from './stages/rules/rules-stage.ts'
import { wholeWayStage } from './stages/whole-way/whole-way-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [rulesStage, feedStage, wholeWayStage]
