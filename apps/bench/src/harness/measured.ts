import { redisCpuUs } from './redis-cpu.ts'
import type { Sample } from './stage.ts'

/**
 * Runs `job`, which does `count` units of work over a Redis, and tells what a unit took: `perSecond`, `cpuUs` of this process and
 * `redisCpuUs`.
 */
export async function measured(redisPort: number, count: number, job: () => Promise<unknown>): Promise<Sample> {
  const redisBefore = await redisCpuUs(redisPort)
  const cpuBefore = process.cpuUsage()
  const begun = performance.now()
  await job()
  const seconds = (performance.now() - begun) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  const redisUs = (await redisCpuUs(redisPort)) - redisBefore
  return { perSecond: count / seconds, cpuUs: (user + system) / count, redisCpuUs: redisUs / count }
}
