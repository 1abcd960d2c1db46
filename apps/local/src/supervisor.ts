import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit, exitOf, spawnBound } from '@chart/servers'
import { openBoundedLog } from './bounded-log.ts'
import { keepProcess, type ManagedProcess, type ProcessSpec, type ProcessView } from './managed-process.ts'
import { readOutput } from './process-output.ts'

export type Supervisor = AsyncDisposable & {
  /** Starts processes that depend on those started before and not on each other. */
  start(...specs: readonly ProcessSpec[]): void
  /** Runs a process that does one thing and ends. Fails when it does. */
  runOnce(spec: ProcessSpec, signal: AbortSignal): Promise<void>
  /** Resolves when a process that was started is ready, or the signal aborts. Fails when that takes too long. */
  untilReady(name: string, signal: AbortSignal): Promise<void>
  views(): ProcessView[]
  /** Where what a process writes is kept. */
  logFile(name: string): string
  /** Ends everything, those started last first, and resolves when no process is left. */
  stop(): Promise<void>
  killNow(): void
}

/** How long a process may take to end before it is ended. Those of the apps that drain do so within it. */
const usualStopMs = 10_000
const readyMs = 20_000

/** Child processes, kept running; the log of each is `<logDir>/<name>.log`. */
export function createSupervisor(logDir: string, stopMs = usualStopMs): Supervisor {
  /** In the order of starting: a process of one group needs only processes of earlier ones. */
  const groups: (readonly ManagedProcess[])[] = []
  const logFile = (name: string) => join(logDir, `${name}.log`)
  const logOf = (spec: ProcessSpec) => openBoundedLog(logFile(spec.name))
  const all = () => groups.flat()

  const stop = async () => {
    for (const group of groups.toReversed()) await Promise.all(group.map(process => process.stop(stopMs)))
  }
  return {
    start(...specs) {
      groups.push(specs.map(spec => keepProcess(spec, logOf(spec))))
    },
    async runOnce(spec, signal) {
      const log = logOf(spec)
      const child = spawnBound(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const output = readOutput(child, chunk => log.write(chunk))
      const end = () => child.kill('SIGTERM')
      signal.addEventListener('abort', end, { once: true })
      const exit = await exitOf(child)
      signal.removeEventListener('abort', end)
      await output.ended
      log.close()
      if (exit.code !== 0) throw new Error(`${spec.name} ${describeExit(exit)}: ${output.lastLine()}`)
    },
    async untilReady(name, signal) {
      const deadline = Date.now() + readyMs
      while (!signal.aborted) {
        const view = all()
          .map(process => process.view())
          .find(one => one.name === name)
        if (view?.state === 'ready') return
        if (Date.now() > deadline) {
          throw new Error(`${name} is not ready after ${readyMs / 1000} s: ${view?.note ?? `see ${logFile(name)}`}`)
        }
        await sleep(50, undefined, { signal }).catch(() => {})
      }
    },
    views: () => all().map(process => process.view()),
    logFile,
    stop,
    killNow() {
      for (const process of all()) process.killNow()
    },
    [Symbol.asyncDispose]: stop,
  }
}
