import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * What tells a process from a later one that was given the same number: its number and the moment it started.
 * A number alone is no safe thing to signal: in a container numbers are small and soon used again.
 * `undefined` when there is no such process, or when it has ended and only waits to be collected.
 */
export function identityOf(pid: number): string | undefined {
  try {
    return process.platform === 'linux' ? identityFromProc(pid) : identityFromPs(pid)
  } catch {
    return undefined
  }
}

/** Whether the process of this identity is still running. */
export function isAlive(identity: string): boolean {
  return identityOf(pidOf(identity)) === identity
}

/** Sends `signal` if the process of this identity is still running; says whether it was. */
export function signalIdentity(identity: string, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(pidOf(identity), signal)
    return true
  } catch {
    return false
  }
}

export function pidOf(identity: string): number {
  return Number.parseInt(identity, 10)
}

function identityFromProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = rest[18]
  return state === 'Z' || state === 'X' ? undefined : `${pid}:${startTicks}`
}

function identityFromPs(pid: number): string | undefined {
  const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  const [state = 'Z', ...started] = line.split(/\s+/)
  return state.startsWith('Z') ? undefined : `${pid}:${started.join('-')}`
}
