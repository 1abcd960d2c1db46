import type { ProcessCost } from '../harness/bench-process.ts'
import { untilTrue } from '../harness/until-true.ts'
import { BenchService } from '../service/bench-service.ts'

export interface BacklogRun {
  readonly symbols: number
  readonly aggregators: number
  readonly masters: number
}

export interface BacklogResult {
  readonly run: BacklogRun
  readonly trades: number
  /** From the first commit to the last. */
  readonly seconds: number
  readonly tradesPerSecond: number
  /** Seconds of CPU for a million trades, by process. */
  readonly cpuSecondsPerMillion: Readonly<Record<string, number>>
}

/** What gathers in the log while nobody folds: some 25,000 trades a second can be made and logged on two cores. */
const GATHER_RATE = 20_000
const GATHER_SECONDS = 30
const APPENDED_WITHIN_MS = 60_000
const FOLDED_WITHIN_MS = 300_000

/** Lets a log grow without an aggregator, then starts some and takes the time until nothing is left of it. */
export async function runBacklog(run: BacklogRun): Promise<BacklogResult> {
  const { symbols, masters, aggregators } = run
  await using service = await BenchService.open({ symbols, masters, aggregators: 0, edges: 0 })
  await service.trade(GATHER_RATE)
  await new Promise(resolve => setTimeout(resolve, GATHER_SECONDS * 1_000))
  await service.trade(0)
  const trades = await service.made()
  await untilStill(service)
  const behind = await service.lag()
  const before = service.costs()
  service.startAggregators(aggregators)
  await untilTrue(async () => (await service.lag()) < behind, 'the first commit', FOLDED_WITHIN_MS)
  const since = performance.now()
  await untilTrue(async () => (await service.lag()) <= 0, 'the last commit', FOLDED_WITHIN_MS)
  const seconds = (performance.now() - since) / 1_000
  const cpuSecondsPerMillion = Object.fromEntries(
    [...service.costs()].map(([name, cost]) => [name, spentOf(cost, before.get(name)) / trades]),
  )
  return { run, trades, seconds, tradesPerSecond: trades / seconds, cpuSecondsPerMillion }
}

/** Seconds times a million: microseconds of CPU. */
function spentOf({ cpuUs }: ProcessCost, before: ProcessCost | undefined): number {
  return cpuUs - (before?.cpuUs ?? 0)
}

/** Until the ingestor has appended all that it heard: watermarks alone add an entry a second and partition. */
async function untilStill(service: BenchService): Promise<void> {
  let last = -1
  await untilTrue(
    async () => {
      const before = last
      last = await service.lag()
      await new Promise(resolve => setTimeout(resolve, 200))
      return last - before < 100 && before >= 0
    },
    'the log stands still',
    APPENDED_WITHIN_MS,
  )
}
