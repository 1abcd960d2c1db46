import type { Stage } from './harness/stage.ts'
import { ownConnectionsStage, sharedConnectionsStage } from './stages/fan-out/fan-out-stages.ts'
import { subscribersStage } from './stages/subscribers/subscribers-stage.ts'
import { wholeWayStage } from './stages/whole-way/whole-way-stage.ts'

/** Along the way of a trade. */
export const STAGES: readonly Stage[] = [ownConnectionsStage, sharedConnectionsStage, subscribersStage, wholeWayStage]
