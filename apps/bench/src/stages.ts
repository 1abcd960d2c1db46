import type { Stage } from './harness/stage.ts'
import { appendStage } from './stages/append/append-stage.ts'
import { commitStage } from './stages/commit/commit-stage.ts'
import { wideCommitStage } from './stages/commit/wide-commit-stage.ts'
import { ownConnectionsStage, sharedConnectionsStage } from './stages/fan-out/fan-out-stages.ts'
import { feedStage } from './stages/feed/feed-stage.ts'
import { handlerStage } from './stages/handler/handler-stage.ts'
import { memoryStage } from './stages/memory/memory-stage.ts'
import { persistStage } from './stages/persist/persist-stage.ts'
import { queueStage } from './stages/queue/queue-stage.ts'
import { rulesStage } from './stages/rules/rules-stage.ts'
import { startStage } from './stages/start/start-stage.ts'
import { subscribersStage } from './stages/subscribers/subscribers-stage.ts'
import { allSymbolsEachStage, oneSymbolEachStage } from './stages/whole-way/whole-way-stages.ts'

/** Along the way of a trade; then what all of it takes together. */
export const STAGES: readonly Stage[] = [
  rulesStage,
  feedStage,
  appendStage,
  commitStage,
  wideCommitStage,
  handlerStage,
  ownConnectionsStage,
  sharedConnectionsStage,
  queueStage,
  persistStage,
  oneSymbolEachStage,
  allSymbolsEachStage,
  startStage,
  memoryStage,
  subscribersStage,
]
