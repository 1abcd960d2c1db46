import type { InjectedFault } from './nemesis.ts'
import type { Pause, Progress } from './waiting.ts'

/** A partition stands when its next trade comes: for busy symbols within this time after the fault. */
const AFTER_MS = 1_000
/** A partition that already stood for so long when the fault came was stopped by an earlier one. */
const BEFORE_MS = 250
/** Shorter waits belong to a busy machine. */
const HARM_MS = 400

/** A pause and the fault that made it. */
export interface Recovery {
  readonly fault: InjectedFault
  readonly pause: Pause
  /** From the fault to the end of the pause; of a fault of Redis, from when it answered again. */
  readonly ms: number
}

/** A distribution of times, ms. */
export interface Times {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly worst: number
}

/** Each pause with the fault that it began with: one of Redis before all others, then the newest of those that can do it. */
export function recoveriesOf(faults: readonly InjectedFault[], pauses: readonly Pause[]): Recovery[] {
  return pauses.flatMap(pause => {
    const candidates = faults.filter(fault => canStop(fault, pause) && beginsWith(pause, fault))
    const fault = candidates.find(({ target }) => target === 'redis') ?? candidates.at(-1)
    const ms = fault === undefined ? 0 : pause.to - originOf(fault)
    return fault === undefined || ms <= 0 ? [] : [{ fault, pause, ms }]
  })
}

/** Whose fault can stop what; Redis can stop everything. */
function canStop({ target, victim }: InjectedFault, { progress, tag }: Pause): boolean {
  if (target === 'redis') return true
  switch (progress) {
    case 'log':
      return victim.includes('ingestor')
    case 'commit':
      return victim.includes('aggregator')
    case 'told':
      return victim.includes('ingestor') || victim.includes('aggregator') || victim.includes(tag)
    case 'stored':
      return victim.includes('persister') || target === 'postgres'
    default:
      return progress satisfies never
  }
}

function beginsWith({ from }: Pause, fault: InjectedFault): boolean {
  return from >= fault.time - BEFORE_MS && from <= originOf(fault) + AFTER_MS
}

/** Nobody can go on before a Redis that is stopped or dead: what counts is how soon afterwards. */
function originOf({ target, time, endTime }: InjectedFault): number {
  return target === 'redis' ? endTime : time
}

/** Pauses of partitions of more than `ms` that no fault began. */
export function unexplainedPauses(recoveries: readonly Recovery[], pauses: readonly Pause[], ms: number): Pause[] {
  const explained = new Set(recoveries.map(({ pause }) => pause))
  return pauses.filter(
    pause =>
      (pause.progress === 'log' || pause.progress === 'commit') && !explained.has(pause) && pause.to - pause.from > ms,
  )
}

/** One row of the table: faults of one kind, and how long it took until every partition that they stopped moved again. */
export interface RecoveryRow {
  readonly target: string
  readonly kind: string
  readonly count: number
  /** Of the faults after which some log stood. */
  readonly logs: Times
  readonly commits: Times
  /** Of those after which some client was told nothing of a busy symbol, or nothing was stored of it. */
  readonly clients: Times
  readonly rows: Times
}

export function recoveryTable(faults: readonly InjectedFault[], recoveries: readonly Recovery[]): RecoveryRow[] {
  const byFault = Map.groupBy(recoveries, ({ fault }) => fault)
  const groups = Map.groupBy(faults, ({ target, kind }) => `${target} ${kind}`)
  return [...groups].sort().map(([, group]) => {
    const { target, kind } = group[0]!
    const slowest = (progress: Progress) =>
      group.flatMap(fault => {
        const times = (byFault.get(fault) ?? []).filter(({ pause }) => pause.progress === progress).map(({ ms }) => ms)
        const ms = Math.max(0, ...times)
        return ms > HARM_MS ? [ms] : []
      })
    return {
      target,
      kind,
      count: group.length,
      logs: timesOf(slowest('log')),
      commits: timesOf(slowest('commit')),
      clients: timesOf(slowest('told')),
      rows: timesOf(slowest('stored')),
    }
  })
}

/** Per partition: from the kill of its owner to the first progress under the next. */
export function takeoverTimes(recoveries: readonly Recovery[], target: 'ingestor' | 'aggregator'): Times {
  const takeovers = recoveries.filter(
    ({ fault, pause: { progress, changedOwner } }) =>
      fault.target === target &&
      fault.kind === 'kill' &&
      progress === (target === 'ingestor' ? 'log' : 'commit') &&
      changedOwner,
  )
  return timesOf(takeovers.map(({ ms }) => ms))
}

export function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { count: sorted.length, median: at(0.5), p99: at(0.99), worst: at(1) }
}
