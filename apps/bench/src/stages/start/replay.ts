import { positionKey, type RedisConnection } from '@chart/redis'
import type { RedisServer } from '@chart/servers'
import { costOf } from '../../harness/bench-process.ts'
import type { Sample } from '../../harness/stage.ts'
import { untilTrue } from '../../harness/until-true.ts'
import { startApp } from './app-process.ts'
import type { HourLog } from './hour-log.ts'

const LOOK_MS = 10
/** A machine where it takes longer is too busy to measure anything. */
const REPLAY_MAX_MS = 300_000
const HOUR_TRADES = 3_600_000

/** Starts an aggregator on a log that nobody has folded, until all of it is in the bars. */
export async function measureReplay(redis: RedisConnection, server: RedisServer, hour: HourLog): Promise<Sample> {
  await hour.rewind()
  const wanted = await hour.entries()
  const redisBefore = costOf(server.pid).cpuUs
  await using aggregator = startApp('aggregator', { MEMBER: 'one', REDIS_URL: server.url })
  const done = async () => {
    const positions = await Promise.all(hour.tags.map(tag => redis.hget(positionKey(tag), 'pos')))
    return positions.reduce((sum, pos) => sum + Number(pos), 0)
  }
  await untilTrue(async () => (await done()) > 0, 'the first commit', REPLAY_MAX_MS, LOOK_MS)
  const startMs = performance.now() - aggregator.startTime
  const startCpuMs = costOf(aggregator.pid).cpuUs / 1_000
  await untilTrue(async () => (await done()) === wanted, 'the whole log is in the bars', REPLAY_MAX_MS, LOOK_MS)
  const seconds = (performance.now() - aggregator.startTime) / 1_000
  const { cpuUs, rssBytes } = costOf(aggregator.pid)
  const redisUs = costOf(server.pid).cpuUs - redisBefore
  await hour.checkBars()
  return {
    startMs,
    startCpuMs,
    seconds,
    perSecond: hour.trades / seconds,
    hoursPerSecond: hour.trades / HOUR_TRADES / seconds,
    cpuUs: cpuUs / hour.trades,
    redisCpuUs: redisUs / hour.trades,
    rssMb: rssBytes / 1024 ** 2,
  }
}
