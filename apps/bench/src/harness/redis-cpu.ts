import { redisCommand } from '@chart/servers'

/** CPU time that a Redis has used since its start, by its own account: microseconds, where /proc has hundredths of a second. */
export async function redisCpuUs(port: number): Promise<number> {
  const text = await redisCommand(port, 'INFO cpu')
  return Math.round((secondsIn(text, 'used_cpu_user') + secondsIn(text, 'used_cpu_sys')) * 1e6)
}

function secondsIn(text: string, name: string): number {
  const seconds = new RegExp(`^${name}:([0-9.]+)\r?$`, 'm').exec(text)?.[1]
  if (seconds === undefined) throw new Error(`INFO cpu of Redis does not tell ${name}: ${text.slice(0, 200)}`)
  return Number(seconds)
}
