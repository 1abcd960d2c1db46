import type { Stage } from './harness/stage.ts'
import { persistStage } from './stages/persist/persist-stage.ts'
import { queueStage } from './stages/queue/queue-stage.ts'
import { startStage } from './stages/start/start-stage.ts'
import { wholeWayStage } from './stages/whole-way/whole-way-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [queueStage, persistStage, wholeWayStage, startStage]
