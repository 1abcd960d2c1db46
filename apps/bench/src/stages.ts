import type { Stage } from './harness/stage.ts'
import { appendStage } from './stages/append/append-stage.ts'
import { commitStage } from './stages/commit/commit-stage.ts'
import { wideCommitStage } from './stages/commit/wide-commit-stage.ts'
import { memoryStage } from './stages/memory/memory-stage.ts'
import { wholeWayStage } from './stages/whole-way/whole-way-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [appendStage, commitStage, wideCommitStage, wholeWayStage, memoryStage]
