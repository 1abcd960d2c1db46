import { setTimeout as sleep } from 'node:timers/promises'
import { TARGETS } from './fault-plan.ts'
import type { Fleet } from './fleet.ts'
import { type InjectedFault, Nemesis } from './nemesis.ts'
import type { ChaosOptions } from './options.ts'
import { type OutageSample, takePostgresAway } from './outage.ts'
import { createRandom } from './random.ts'

const FAULT_EVERY_MS = 2_000
/** Between takeovers: the process that was killed is back by then and warm. */
const TAKEOVER_EVERY_MS = 4_000

/** What was done to the service. */
export interface Disturbance {
  readonly faults: readonly InjectedFault[]
  readonly outage: readonly OutageSample[]
  /** Faults that could not be brought to their end. */
  readonly unfinished: readonly string[]
}

/** Does what the scenario is, and returns when every fault is over. */
export async function disturb(
  { scenario, minutes, seed }: ChaosOptions,
  fleet: Fleet,
  tags: readonly string[],
  say: (line: string) => void,
): Promise<Disturbance> {
  const ms = minutes * 60_000
  const startTime = performance.now()
  const seconds = () => ((performance.now() - startTime) / 1_000).toFixed(1).padStart(6)
  if (scenario === 'postgres-outage') {
    const outage = await takePostgresAway(fleet, tags, ms, ({ usedMemoryMb, outboxBars, queuedJobs }) =>
      say(`${seconds()} s: Redis has ${usedMemoryMb} MB, ${outboxBars} bars in outboxes, ${queuedJobs} jobs`),
    )
    return { faults: [], outage, unfinished: [] }
  }
  if (scenario === 'calm') {
    await sleep(ms)
    return { faults: [], outage: [], unfinished: [] }
  }
  const takeoversOnly = scenario === 'takeover'
  const nemesis = new Nemesis({
    fleet,
    random: createRandom(seed),
    everyMs: takeoversOnly ? TAKEOVER_EVERY_MS : FAULT_EVERY_MS,
    targets: takeoversOnly ? ['ingestor', 'aggregator'] : TARGETS,
    takeoversOnly,
    onFault: ({ kind, victim, ms: length }) => say(`${seconds()} s: ${kind} ${victim} ${length} ms`),
  })
  await nemesis.run(startTime + ms)
  return { faults: nemesis.injected, outage: [], unfinished: nemesis.failures }
}
