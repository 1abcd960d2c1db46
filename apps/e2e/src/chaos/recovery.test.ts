import { expect, test } from 'vitest'
import type { FaultKind, Target } from './fault-plan.ts'
import type { InjectedFault } from './nemesis.ts'
import { recoveriesOf, recoveryTable, takeoverTimes, timesOf, unexplainedPauses } from './recovery.ts'
import type { Pause, Progress } from './waiting.ts'

function fault(target: Target, victim: string, time: number, kind: FaultKind = 'kill', ms = 1_000): InjectedFault {
  return { target, victim, kind, ms, time, endTime: time + ms }
}

function pause(progress: Progress, from: number, to: number, changedOwner = true): Pause {
  return { tag: '{p00}', progress, from, to, changedOwner }
}

test('a pause belongs to the newest fault that can have made it', () => {
  const first = fault('ingestor', 'ingestor-1', 10_000)
  const second = fault('ingestor', 'ingestor-2', 10_600)
  const other = fault('edge', 'edge-1', 10_700)
  const aggregator = fault('aggregator', 'aggregator-1', 10_700)
  const log = pause('log', 10_750, 12_000)
  const commit = pause('commit', 10_720, 11_900)
  const faults = [first, second, other, aggregator]
  expect(recoveriesOf(faults, [log, commit])).toEqual([
    { fault: second, pause: log, ms: 1_400 },
    { fault: aggregator, pause: commit, ms: 1_200 },
  ])
})

test('a fault of Redis counts from when Redis answers again, and goes before the others', () => {
  const redis = fault('redis', 'redis', 10_000, 'stop', 5_000)
  const ingestor = fault('ingestor', 'ingestor-1', 14_000)
  const during = pause('log', 10_020, 15_100, false)
  const after = pause('log', 15_150, 16_500)
  const recoveries = recoveriesOf([redis, ingestor], [during, after])
  expect(recoveries.map(({ ms }) => ms)).toEqual([100, 1_500])
  expect(recoveryTable([redis, ingestor], recoveries)).toMatchObject([
    { target: 'ingestor', count: 1, logs: { count: 0 } },
    { target: 'redis', kind: 'stop', count: 1, logs: { count: 1, worst: 1_500 }, commits: { count: 0 } },
  ])
})

test('a takeover is a pause of a killed process after which another goes on', () => {
  const faults = [
    fault('ingestor', 'ingestor-1', 0),
    fault('aggregator', 'aggregator-1', 10_000),
    fault('aggregator', 'aggregator-2', 20_000, 'stop'),
  ]
  const pauses = [
    pause('log', 20, 600),
    pause('log', 30, 620),
    pause('log', 40, 700, false),
    pause('commit', 10_010, 11_000),
    pause('commit', 20_010, 21_000),
  ]
  const recoveries = recoveriesOf(faults, pauses)
  expect(takeoverTimes(recoveries, 'ingestor')).toEqual({ count: 2, median: 620, p99: 620, worst: 620 })
  expect(takeoverTimes(recoveries, 'aggregator')).toMatchObject({ count: 1, worst: 1_000 })
})

test('what a client misses belongs to its own edge, or to who makes the bars; what is not stored to persister and PostgreSQL', () => {
  const edge = fault('edge', 'edge-1', 10_000)
  const persister = fault('persister', 'persister-1', 10_000)
  const own = { ...pause('told', 10_050, 11_000), tag: 'edge-1' }
  const other = { ...pause('told', 10_050, 11_000), tag: 'edge-2' }
  const rows = { ...pause('stored', 10_100, 12_000), tag: 'rows' }
  const recoveries = recoveriesOf([edge, persister], [own, other, rows])
  expect(recoveries.map(one => [one.fault, one.pause])).toEqual([
    [edge, own],
    [persister, rows],
  ])
})

test('a pause that no fault began with is told apart', () => {
  const handOver = pause('commit', 5_000, 5_600)
  const short = pause('commit', 8_000, 8_200)
  const recoveries = recoveriesOf([fault('aggregator', 'aggregator-1', 0)], [handOver, short])
  expect(unexplainedPauses(recoveries, [handOver, short], 400)).toEqual([handOver])
})

test('a distribution without values is all zeros', () => {
  expect(timesOf([])).toEqual({ count: 0, median: 0, p99: 0, worst: 0 })
})
