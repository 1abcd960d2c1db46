import { closeRedis, openRedis } from '@chart/redis'
import { startRedis } from '@chart/servers'
import type { OpenStage, Sample, Stage } from '../../harness/stage.ts'
import { HourLog } from './hour-log.ts'
import { measureReplay } from './replay.ts'
import { aggregators, ingestors, measureTakeovers } from './takeover.ts'

const INGESTOR = 'ingestor: to an entry in the log'
const AGGREGATOR = 'aggregator: to a commit of bars'
const REPLAY = 'aggregator that finds an hour of trades, 1,000/s'

/** Nothing is compared: these are times that people wait. Processes are started as production starts them. */
export const startStage: Stage = {
  name: 'start',
  job: 'start, take-over and catching up',
  figures: [
    { name: 'startMs', unit: 'ms from process start', better: 'less' },
    { name: 'startCpuMs', unit: 'ms CPU until then', better: 'less' },
    { name: 'killedMs', unit: 'ms without, SIGKILL', better: 'less' },
    { name: 'stoppedMs', unit: 'ms without, SIGSTOP', better: 'less' },
    { name: 'handOverMs', unit: 'ms without, SIGTERM', better: 'less' },
    { name: 'seconds', unit: 's from process start to the end of the log', better: 'less' },
    { name: 'perSecond', unit: 'trades/s', better: 'more' },
    { name: 'hoursPerSecond', unit: 'hours/s', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU a trade', better: 'less' },
    { name: 'redisCpuUs', unit: 'µs CPU of Redis a trade', better: 'less' },
    { name: 'rssMb', unit: 'MB in memory at the end', better: 'less' },
  ],
  variants: [
    { name: INGESTOR, role: 'ours' },
    { name: AGGREGATOR, role: 'ours' },
    { name: REPLAY, role: 'ours' },
  ],
  comparisons: [],
  open: openStart,
}

async function openStart(size: number): Promise<OpenStage> {
  await using stack = new AsyncDisposableStack()
  const small = stack.use(await startRedis())
  const large = stack.use(await startRedis())
  const redis = stack.adopt(await openRedis(large.url, 'bench'), closeRedis)
  const hour = await HourLog.write(redis, size)
  const runs: Readonly<Record<string, () => Promise<Sample>>> = {
    [INGESTOR]: () => measureTakeovers(small.url, ingestors),
    [AGGREGATOR]: () => measureTakeovers(small.url, aggregators),
    [REPLAY]: () => measureReplay(redis, large, hour),
  }
  const owned = stack.move()
  return {
    run: variant => runs[variant]!(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
