import { type PendingEntry, pendingFieldOf, pendingValueOf } from '@chart/redis'
import { startRedis } from '@chart/servers'
import { costOf } from '../../harness/bench-process.ts'
import type { OpenStage, Sample, Stage } from '../../harness/stage.ts'
import { madeBars } from '../persist/made-bars.ts'
import { openJobPerBar } from './job-per-bar.ts'
import { openJobPerFlush } from './job-per-flush.ts'
import type { Transport } from './transports.ts'

const OURS = 'up to 100 bars a job'
const BULK = 'a job a bar, addBulk of 100'
const ADD = 'a job a bar, add awaited'

/** Closed bars of one commit: a minute ends for 300 series. */
const FLUSH_BARS = 300
/** Flushes of a whole run, by how many a way does in some three seconds; figures are for one bar. */
const FLUSHES: Readonly<Record<string, number>> = { [OURS]: 200, [BULK]: 30, [ADD]: 15 }

export const queueStage: Stage = {
  name: 'queue',
  job: 'closed bars through BullMQ',
  figures: [
    { name: 'perSecond', unit: 'bars/s, enqueued and taken out', better: 'more' },
    { name: 'enqueuedPerSecond', unit: 'bars/s enqueued', better: 'more' },
    { name: 'drainedPerSecond', unit: 'bars/s taken out', better: 'more' },
    { name: 'cpuUs', unit: 'µs CPU of Node a bar', better: 'less' },
    { name: 'redisCpuUs', unit: 'µs CPU of Redis a bar', better: 'less' },
  ],
  variants: [
    { name: OURS, role: 'ours' },
    { name: BULK, role: 'instead' },
    { name: ADD, role: 'instead' },
  ],
  comparisons: [
    { variant: OURS, against: BULK, figure: 'perSecond', atLeast: 8 },
    { variant: OURS, against: BULK, figure: 'enqueuedPerSecond', atLeast: 8 },
    { variant: OURS, against: BULK, figure: 'cpuUs' },
    { variant: OURS, against: BULK, figure: 'redisCpuUs' },
    { variant: OURS, against: ADD, figure: 'perSecond' },
  ],
  open: openQueue,
}

async function openQueue(size: number): Promise<OpenStage> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const transports = new Map<string, Transport>([
    [OURS, await openJobPerFlush(redis.url)],
    [BULK, await openJobPerBar(redis.url, 100)],
    [ADD, await openJobPerBar(redis.url, 1)],
  ])
  for (const transport of transports.values()) stack.defer(() => transport.close())
  const flushes = flushesOf(Math.ceil(FLUSHES[OURS]! * size))
  const owned = stack.move()
  return {
    run: variant => runOnce(transports.get(variant)!, flushes.slice(0, Math.ceil(FLUSHES[variant]! * size)), redis.pid),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Bars as they stand in the outbox, by commit. */
function flushesOf(count: number): PendingEntry[][] {
  const entries = madeBars(count * FLUSH_BARS).map(bar => [pendingFieldOf(bar), pendingValueOf(bar)] as const)
  return Array.from({ length: count }, (_, index) => entries.slice(index * FLUSH_BARS, (index + 1) * FLUSH_BARS))
}

/** Enqueues all, then takes all out: neither waits for the other, and both are told apart. */
async function runOnce(
  transport: Transport,
  flushes: readonly (readonly PendingEntry[])[],
  redisPid: number,
): Promise<Sample> {
  const bars = flushes.length * FLUSH_BARS
  const redisBefore = costOf(redisPid).cpuUs
  const cpu = process.cpuUsage()
  const since = performance.now()
  for (const flush of flushes) await transport.enqueue(flush)
  const enqueued = performance.now()
  const { bytes, time: drained } = await transport.drain(bars)
  const { user, system } = process.cpuUsage(cpu)
  const redisUs = costOf(redisPid).cpuUs - redisBefore
  const wanted = flushes.flat().reduce((sum, [field, value]) => sum + field.length + value.length, 0)
  if (bytes !== wanted) throw new Error(`${bytes} bytes of bars came out, ${wanted} went in`)
  return {
    perSecond: (bars / (drained - since)) * 1_000,
    enqueuedPerSecond: (bars / (enqueued - since)) * 1_000,
    drainedPerSecond: (bars / (drained - enqueued)) * 1_000,
    cpuUs: (user + system) / bars,
    redisCpuUs: redisUs / bars,
  }
}
