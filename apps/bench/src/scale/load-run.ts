import { BenchService, type ServiceShape, type StreamOptions } from '../service/bench-service.ts'
import { type LoadResult, measureLoad } from '../service/measure-load.ts'

export interface LoadRun extends ServiceShape {
  /** Trades a second over all symbols. */
  readonly rate: number
  readonly clients: StreamOptions
}

export interface LoadRunResult extends LoadResult {
  readonly run: LoadRun
  /** From the start of the first app to the beginning of every symbol's log. */
  readonly startSeconds: number
  /** µs of CPU a trade of each kind of app; several of a kind together. */
  readonly cpuUs: Readonly<Record<string, number>>
}

const WARM_UP_SECONDS = 10

/** A whole service under a steady load, long enough for what is compiled late and for several watermarks. */
export async function runLoad(run: LoadRun, seconds: number): Promise<LoadRunResult> {
  const since = performance.now()
  await using service = await BenchService.open(run)
  const startSeconds = (performance.now() - since) / 1_000
  await service.openStreams(run.clients)
  await service.trade(run.rate)
  await new Promise(resolve => setTimeout(resolve, WARM_UP_SECONDS * 1_000))
  const result = await measureLoad(service, seconds)
  return { run, startSeconds, ...result, cpuUs: cpuUsOf(result) }
}

/** `aggregator-1` and `aggregator-2` are both `aggregator`. */
function cpuUsOf({ cpuSeconds, trades }: LoadResult): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [name, seconds] of Object.entries(cpuSeconds)) {
    const kind = name.replace(/-\d+$/, '')
    sums[kind] = (sums[kind] ?? 0) + (seconds * 1e6) / trades
  }
  return sums
}
