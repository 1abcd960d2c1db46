import type { ChildProcess } from 'node:child_process'

/** How a process ended; `error` when it could not even be started. */
export type Exit = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: Error
}

/** Resolves when `child` has ended, also when it ended long ago or never began. Ask once, right after the start. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve({ code: child.exitCode, signal: child.signalCode })
      return
    }
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', error => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error })
    })
  })
}

/** `exited with 1`, `ended by SIGKILL`, `could not start: …`. */
export function describeExit(exit: Exit): string {
  if (exit.error !== undefined) return `could not start: ${exit.error.message}`
  return exit.signal === null ? `exited with ${exit.code}` : `ended by ${exit.signal}`
}
