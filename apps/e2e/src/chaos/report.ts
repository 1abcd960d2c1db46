import { recoveriesOf, recoveryTable, type Times, takeoverTimes, timesOf, unexplainedPauses } from './recovery.ts'
import type { ChaosResult } from './run.ts'
import type { Pause } from './waiting.ts'

/** Failures that are printed one by one; the JSON has all. */
const SHOWN_MAX = 40
/** Shorter pauses without a fault belong to a busy machine. */
const UNEXPLAINED_MS = 400

/** What a run has shown, as figures. */
export function reportOf(result: ChaosResult) {
  const { faults, pauses, failures, options, ...figures } = result
  const recoveries = recoveriesOf(faults, pauses)
  const unexplained = unexplainedPauses(recoveries, pauses, UNEXPLAINED_MS)
  return {
    seed: options.seed,
    scenario: options.scenario,
    minutes: options.minutes,
    ...figures,
    faults: faults.length,
    recovery: recoveryTable(faults, recoveries),
    takeovers: {
      ingestor: takeoverTimes(recoveries, 'ingestor'),
      aggregator: takeoverTimes(recoveries, 'aggregator'),
    },
    /** Of a partition that is given to another owner in peace: a process is back and takes its share. */
    handOvers: timesOf(unexplained.filter(({ changedOwner }) => changedOwner).map(lengthOf)),
    pausesWithoutFault: timesOf(unexplained.filter(({ changedOwner }) => !changedOwner).map(lengthOf)),
    failures,
  }
}

export type ChaosReport = ReturnType<typeof reportOf>

/** The report for a person. */
export function textOfReport(report: ChaosReport): string {
  const lines: string[] = ['']
  if (report.recovery.length > 0) {
    lines.push(
      'From the fault (of Redis: from when it answered again) until trades went on in every log and commit, and for a client and the rows',
      'of the busiest symbol, ms (faults that stopped something: median / p99 / worst)',
      '',
    )
    lines.push(row('fault', 'count', 'logs', 'commits', 'a client', 'rows'))
    for (const { target, kind, count, ...times } of report.recovery) {
      const { logs, commits, clients, rows } = times
      lines.push(row(`${kind} ${target}`, String(count), ...[logs, commits, clients, rows].map(textOf)))
    }
    lines.push('')
    lines.push(`Takeover of an ingestor's partitions, ms:    ${textOf(report.takeovers.ingestor)}`)
    lines.push(`Takeover of an aggregator's partitions, ms:  ${textOf(report.takeovers.aggregator)}`)
    lines.push(`Partitions given to another in peace, ms:    ${textOf(report.handOvers)}`)
    lines.push(`Pauses over ${UNEXPLAINED_MS} ms that began with no fault: ${textOf(report.pausesWithoutFault)}`)
  }
  if (report.outage.length > 0) {
    lines.push('PostgreSQL away', '', row('seconds', 'Redis MB', 'bars in outboxes', 'jobs'))
    for (const { seconds, usedMemoryMb, outboxBars, queuedJobs } of report.outage) {
      lines.push(row(String(seconds), String(usedMemoryMb), String(outboxBars), String(queuedJobs)))
    }
  }
  lines.push('')
  for (const [index, { calls, told, fetched, endings }] of report.observers.entries()) {
    lines.push(
      `observer ${index + 1}: ${calls} calls, ${told} closed bars told, ${fetched} fetched; ${JSON.stringify(endings)}`,
    )
  }
  lines.push(
    `${report.faults} faults under ${report.tradesPerSecond} trades/s; everything stored and told ${report.settledSeconds.toFixed(1)} s after the last`,
    `${report.failedStarts} starts failed because a server was away, and were tried again`,
    `${report.compared} comparisons with the oracle (${report.beganBefore} bars had begun before the start): ${report.failures.length} failures`,
    ...report.failures.slice(0, SHOWN_MAX).map(failure => `  ${failure}`),
    ...(report.failures.length > SHOWN_MAX ? [`  … and ${report.failures.length - SHOWN_MAX} more`] : []),
    `seed ${report.seed}: ${report.failures.length === 0 ? 'passed' : 'FAILED'}`,
  )
  return lines.join('\n')
}

function lengthOf({ from, to }: Pause): number {
  return to - from
}

function row(first: string, ...others: string[]): string {
  return [first.padEnd(24), ...others.map((cell, index) => cell.padStart(index === 0 ? 8 : 24))].join('')
}

function textOf({ count, median, p99, worst }: Times): string {
  return count === 0 ? '–' : `${count}: ${median} / ${p99} / ${worst}`
}
