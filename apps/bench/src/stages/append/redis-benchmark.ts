import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findCommand } from '@chart/servers'

const run = promisify(execFile)

/** Requests a second of redis-benchmark, a program in C that comes with Redis: one connection, XADD of always the same value. */
export async function redisBenchmark(
  port: number,
  requests: number,
  pipelined: number,
  value: string,
): Promise<number> {
  const program = findCommand('redis-benchmark')
  if (program === undefined) throw new Error('redis-benchmark is not on the PATH; it comes with redis-server')
  const how = ['-p', String(port), '-c', '1', '-P', String(pipelined), '-n', String(requests), '--csv']
  const { stdout } = await run(program, [...how, 'XADD', 'benchmark', '*', 't', value])
  const perSecond = /","([0-9.]+)"/.exec(stdout.trim().split('\n').at(-1)!)?.[1]
  if (perSecond === undefined) throw new Error(`redis-benchmark told no rate: ${stdout}`)
  return Number(perSecond)
}
