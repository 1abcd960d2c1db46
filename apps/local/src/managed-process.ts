import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit, exitOf, spawnBound } from '@chart/servers'
import { backoffMs } from './backoff.ts'
import type { BoundedLog } from './bounded-log.ts'
import { readOutput } from './process-output.ts'

export type ProcessSpec = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Answers 200 when the process can do its work. Without it a process that runs counts as ready. */
  readonly readyUrl?: string
}

/**
 * starting  it runs and has not been ready yet
 * ready     it does its work
 * unready   it was ready and says it is not now: something it needs is away
 * waiting   it ended by itself and will be started again after a pause
 * stopping  it has been asked to end
 * stopped   it has ended and stays so
 */
export type ProcessState = 'starting' | 'ready' | 'unready' | 'waiting' | 'stopping' | 'stopped'

export type ProcessView = {
  readonly name: string
  readonly pid?: number
  readonly state: ProcessState
  readonly restarts: number
  /** Why it is not ready, when that is known. */
  readonly note?: string
}

export type ManagedProcess = {
  view(): ProcessView
  /** Asks it to end, insists after `stopMs`, and resolves when it is gone. */
  stop(stopMs: number): Promise<void>
  /** Ends it at once, without asking. */
  killNow(): void
}

/** Often until it is ready for the first time, since others wait for that. */
const askStartedEveryMs = 100
const askReadyEveryMs = 1_000
const askReadyTimeoutMs = 2_500

/** Runs a process for as long as it is not stopped: whenever it ends by itself it is started again. */
export function keepProcess(spec: ProcessSpec, log: BoundedLog): ManagedProcess {
  const stopped = new AbortController()
  let child: ChildProcess | undefined
  let state: ProcessState = 'starting'
  let restarts = 0
  let note: string | undefined

  const keep = async () => {
    for (let starts = 0, failures = 0; !stopped.signal.aborted; starts++) {
      restarts = starts
      const startedTime = Date.now()
      state = 'starting'
      child = spawnBound(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      log.write(`--- ${new Date(startedTime).toISOString()} ${spec.name} started as process ${child.pid}\n`)
      const output = readOutput(child, chunk => log.write(chunk))
      const ended = new AbortController()
      const watched = watchReadiness(ended.signal)
      const exit = await exitOf(child)
      ended.abort()
      await watched
      await output.ended
      log.write(`--- ${new Date().toISOString()} ${spec.name} ${describeExit(exit)}\n`)
      if (stopped.signal.aborted) break
      const lifeMs = Date.now() - startedTime
      failures = lifeMs > 30_000 ? 1 : failures + 1
      state = 'waiting'
      note = [describeExit(exit), output.lastLine()].filter(text => text !== '').join(': ')
      await sleep(backoffMs(failures), undefined, { signal: stopped.signal }).catch(() => {})
    }
    state = 'stopped'
    log.close()
  }

  async function watchReadiness(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const fault = spec.readyUrl === undefined ? '' : await readinessFault(spec.readyUrl, ended)
      if (ended.aborted || stopped.signal.aborted) return
      if (fault === '') {
        state = 'ready'
        note = undefined
        if (spec.readyUrl === undefined) return
      } else if (state === 'ready' || state === 'unready') {
        state = 'unready'
        note = fault
      }
      await sleep(state === 'starting' ? askStartedEveryMs : askReadyEveryMs, undefined, { signal: ended }).catch(
        () => {},
      )
    }
  }

  const kept = keep()
  return {
    view: () => ({
      name: spec.name,
      state,
      restarts,
      ...(child?.pid !== undefined && child.exitCode === null && child.signalCode === null && { pid: child.pid }),
      ...(note !== undefined && { note }),
    }),
    async stop(stopMs) {
      stopped.abort()
      if (state !== 'stopped') state = 'stopping'
      child?.kill('SIGTERM')
      const ended = new AbortController()
      const late = sleep(stopMs, 'late', { signal: ended.signal }).catch(() => undefined)
      if ((await Promise.race([kept, late])) === 'late') child?.kill('SIGKILL')
      ended.abort()
      await kept
    },
    killNow() {
      stopped.abort()
      child?.kill('SIGKILL')
    },
  }
}

/** What `/readyz` has to complain about, in one line; empty when it has nothing. */
async function readinessFault(url: string, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(askReadyTimeoutMs)]) })
    const text = (await response.text()).trim().replaceAll('\n', ', ')
    return response.ok ? '' : text || `answers ${response.status}`
  } catch {
    return 'does not answer'
  }
}
