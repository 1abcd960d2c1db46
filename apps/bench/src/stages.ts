import type { Stage } from './harness/stage.ts'
import { rulesStage } from './stages/rules/rules-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [rulesStage]
