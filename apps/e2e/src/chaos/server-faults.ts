import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '@chart/servers'

/** SIGKILL; started again `restartMs` later with the same data. Resolves when it answers. */
export async function killServer(server: Server, restartMs: number): Promise<void> {
  await server.kill('SIGKILL')
  await sleep(restartMs)
  await server.restart()
}

/** SIGSTOP for `ms`. */
export async function pauseServer(server: Server, ms: number): Promise<void> {
  const pids = withChildren(server.pid)
  for (const pid of pids) signal(pid, 'SIGSTOP')
  // What the parent made between the list and its stop.
  const late = withChildren(server.pid).filter(pid => !pids.includes(pid))
  for (const pid of late) signal(pid, 'SIGSTOP')
  await sleep(ms)
  for (const pid of [...late, ...pids]) signal(pid, 'SIGCONT')
}

/** PostgreSQL is a process for each session: the parent alone would stop nobody's queries. */
function withChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // A session that has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
