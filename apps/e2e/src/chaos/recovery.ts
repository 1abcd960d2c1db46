import type { InjectedFault } from './nemesis.ts'
import type { Pause, Progress } from './waiting.ts'

/** A partition stands when its next trade comes: for busy symbols within this time after the fault. */
const AFTER_MS = 1_000
/** A partition that already stood for so long when the fault came was stopped by an earlier one. */
const BEFORE_MS = 100
/** Shorter pauses are no harm that a fault did. */
const HARM_MS = 250

/** How long one partition stood because of a fault, from the fault on. */
export interface Recovery {
  readonly fault: InjectedFault
  readonly pause: Pause
  readonly ms: number
}

/** A distribution of times, ms. */
export interface Times {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly worst: number
}

/** Each pause goes to the newest fault that it began with or soon after, if there is one. */
export function recoveriesOf(faults: readonly InjectedFault[], pauses: readonly Pause[]): Recovery[] {
  return pauses.flatMap(pause => {
    const fault = faults.findLast(({ time }) => pause.from >= time - BEFORE_MS && pause.from <= time + AFTER_MS)
    if (fault === undefined || pause.to <= fault.time) return []
    return [{ fault, pause, ms: pause.to - fault.time }]
  })
}

/** Pauses of more than `ms` that no fault began: those of handing partitions back, or of something that nobody meant. */
export function unexplainedPauses(recoveries: readonly Recovery[], pauses: readonly Pause[], ms: number): Pause[] {
  const explained = new Set(recoveries.map(({ pause }) => pause))
  return pauses.filter(pause => !explained.has(pause) && pause.to - pause.from > ms)
}

/** One row of the table: faults of one kind, and how long it took until every partition moved again. */
export interface RecoveryRow {
  readonly target: string
  readonly kind: string
  readonly count: number
  /** Faults after which some log stood, and the times until every log moved again. */
  readonly logs: Times
  readonly commits: Times
}

export function recoveryTable(faults: readonly InjectedFault[], recoveries: readonly Recovery[]): RecoveryRow[] {
  const groups = Map.groupBy(faults, ({ target, kind }) => `${target} ${kind}`)
  return [...groups].sort().map(([, group]) => {
    const { target, kind } = group[0]!
    const slowest = (progress: Progress) =>
      timesOf(
        group
          .map(fault =>
            Math.max(
              0,
              ...recoveries.filter(one => one.fault === fault && one.pause.progress === progress).map(({ ms }) => ms),
            ),
          )
          .filter(ms => ms > HARM_MS),
      )
    return { target, kind, count: group.length, logs: slowest('log'), commits: slowest('commit') }
  })
}

/** Per partition: from the kill of its owner to the first progress under another. */
export function takeoverTimes(recoveries: readonly Recovery[], target: 'ingestor' | 'aggregator'): Times {
  const progress = target === 'ingestor' ? 'log' : 'commit'
  return timesOf(
    recoveries
      .filter(
        ({ fault, pause }) =>
          fault.target === target && fault.kind === 'kill' && pause.progress === progress && pause.changedOwner,
      )
      .map(({ ms }) => ms),
  )
}

export function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { count: sorted.length, median: at(0.5), p99: at(0.99), worst: at(1) }
}
