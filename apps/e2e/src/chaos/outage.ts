import { setTimeout as sleep } from 'node:timers/promises'
import { closeRedis, countPending, openRedis } from '@chart/redis'
import type { Server } from '@chart/servers'

/** One look at Redis during an outage of PostgreSQL. */
export interface OutageSample {
  /** Since PostgreSQL went away, s. */
  readonly seconds: number
  readonly usedMemoryMb: number
  /** Bars in all outboxes. */
  readonly outboxBars: number
  /** BullMQ jobs that wait, or wait for a later try. */
  readonly queuedJobs: number
}

/** Takes PostgreSQL away for `ms` and gives what happened in Redis meanwhile, about twenty looks. */
export async function takePostgresAway(
  { redis, postgres }: { redis: Server; postgres: Server },
  tags: readonly string[],
  ms: number,
  onSample: (sample: OutageSample) => void,
): Promise<OutageSample[]> {
  const samples: OutageSample[] = []
  const connection = await openRedis(redis.url, 'chaos-outage')
  const everyMs = ms / 20
  const startTime = performance.now()
  try {
    await postgres.kill('SIGKILL')
    for (let next = 0; next <= ms; next += everyMs) {
      await sleep(Math.max(0, startTime + next - performance.now()))
      const sample = { seconds: Math.round(next / 1_000), ...(await look(connection, tags)) }
      samples.push(sample)
      onSample(sample)
    }
  } finally {
    closeRedis(connection)
    await postgres.restart()
  }
  return samples
}

async function look(
  redis: Awaited<ReturnType<typeof openRedis>>,
  tags: readonly string[],
): Promise<Omit<OutageSample, 'seconds'>> {
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  let outboxBars = 0
  for (const tag of tags) outboxBars += await countPending(redis, tag)
  const [waiting, delayed, prioritized, paused] = await Promise.all([
    redis.llen('{bull}:bars:wait'),
    redis.zcard('{bull}:bars:delayed'),
    redis.zcard('{bull}:bars:prioritized'),
    redis.llen('{bull}:bars:paused'),
  ])
  return { usedMemoryMb: Math.round(used / 2 ** 20), outboxBars, queuedJobs: waiting + delayed + prioritized + paused }
}
