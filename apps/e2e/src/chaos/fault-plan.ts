import type { Random } from './random.ts'

/** What is hit: an app's replica, the network between one and its Redis, or a server. */
export const TARGETS = ['ingestor', 'aggregator', 'persister', 'edge', 'redis-connection', 'redis', 'postgres'] as const
export type Target = (typeof TARGETS)[number]

/**
 * kill   SIGKILL, and another process soon after
 * stop   SIGSTOP for seconds
 * cut    every connection is reset
 * stall  nothing passes for seconds, and then what was held back arrives
 */
export type FaultKind = 'kill' | 'stop' | 'cut' | 'stall'

/** A fault as the seed has it, whoever is there to be hit. */
export interface FaultPlan {
  readonly target: Target
  readonly kind: FaultKind
  /** Which of those that can be hit, 0 … 1 (exclusive). */
  readonly share: number
  /** Length of a stop or stall, or until the process that follows a killed one; ms. */
  readonly ms: number
}

/** A killed process is started again after this long, as a container is. */
const RESTART_MS = { min: 200, max: 2_000 }
/** A stopped process wakes, and a silent network speaks again, after this long: shorter and longer than every lease. */
const SILENCE_MS = { min: 1_000, max: 8_000 }

const SHARES = 1_000_000

/** The next plan. Every plan takes as many draws, so that what one run cannot inject shifts nothing of what comes after it. */
export function drawPlan(random: Random, targets: readonly Target[] = TARGETS): FaultPlan {
  const target = random.pick(targets)
  const isHard = random.pick([true, false])
  const share = random.integer(0, SHARES - 1) / SHARES
  const silenceMs = random.integer(SILENCE_MS.min, SILENCE_MS.max)
  const restartMs = random.integer(RESTART_MS.min, RESTART_MS.max)
  if (target === 'redis-connection') {
    return isHard ? { target, kind: 'cut', share, ms: 0 } : { target, kind: 'stall', share, ms: silenceMs }
  }
  return isHard ? { target, kind: 'kill', share, ms: restartMs } : { target, kind: 'stop', share, ms: silenceMs }
}
