import type { Stage } from './harness/stage.ts'
import { feedStage } from './stages/feed/feed-stage.ts'
import { rulesStage } from './stages/rules/rules-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [feedStage, rulesStage]
