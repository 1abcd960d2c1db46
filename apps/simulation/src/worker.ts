import type { Batch, BatchResult } from './run-seeds.ts'
import { simulate } from './simulate.ts'
import { Tally } from './tally.ts'

process.on('message', async ({ from, seeds, mutation, keepGoing }: Batch) => {
  const tally = new Tally()
  const failures: { seed: number; broken: string }[] = []
  let ran = 0
  let events = 0
  let lastedMs = 0
  const before = process.cpuUsage()
  for (let seed = from; seed < from + seeds && (keepGoing || failures.length === 0); seed++) {
    const outcome = await simulate(seed, { mutation })
    ran++
    tally.addAll(outcome.counts)
    events += outcome.events
    lastedMs += outcome.lastedMs
    if (outcome.broken !== undefined) failures.push({ seed, broken: outcome.broken })
  }
  const { user, system } = process.cpuUsage(before)
  const result: BatchResult = {
    ran,
    events,
    lastedMs,
    cpuMs: (user + system) / 1_000,
    counts: [...tally.counts],
    failures,
  }
  process.send!(result)
})
