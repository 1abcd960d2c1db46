import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerStartError } from './errors.ts'
import { describeExit, type Exit, exitOf } from './exit.ts'
import { logTail } from './log-tail.ts'
import { recordServer } from './server-record.ts'

/** A server of one's own. Whoever started it closes it; should that process die, the server dies with it. */
export type Server = {
  readonly url: string
  readonly port: number
  /** The server's own process, a new one after `restart`. */
  readonly pid: number
  /** Where it keeps its data and its log. */
  readonly dir: string
  readonly logFile: string
  /** Resolves when the process that runs now has ended, for whatever reason. */
  exited(): Promise<Exit>
  /** Sends a signal; after one that ends the process, resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it if it runs, then starts it on the same port with the same data. */
  restart(): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a server answers when asked whether it is there. */
export type Readiness = 'absent' | 'loading' | 'ready'

export type ServerSpec = {
  readonly url: string
  readonly port: number
  readonly dir: string
  readonly logFile: string
  readonly launch: () => Promise<ChildProcess>
  /** Tried in order, each with `stopMs` to work; SIGKILL is always the last. */
  readonly stopSignals: readonly NodeJS.Signals[]
  /** Runs once, after the process is gone for good. */
  readonly release: () => Promise<void>
}

const stopMs = 10_000
const startMs = 30_000
const askEveryMs = 20

/** Signals that leave the process there. */
const harmless: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGSTOP',
  'SIGCONT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGHUP',
  'SIGWINCH',
])

/** The lifetime that every server here has in common. */
export async function runServer(spec: ServerSpec): Promise<Server> {
  let child = await spec.launch()
  let exited = exitOf(child)
  let closed: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()
  /** A close that comes during a restart waits for it: otherwise it would miss the process that is just beginning. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work, work)
    last = turn.catch(() => {})
    return turn
  }

  const isRunning = () => child.exitCode === null && child.signalCode === null
  const stop = async () => {
    for (const signal of [...spec.stopSignals, 'SIGKILL'] as const) {
      if (!isRunning()) break
      child.kill(signal)
      await Promise.race([exited, sleep(stopMs, undefined, { ref: false })])
    }
    await exited
  }
  const close = () => {
    closed ??= inTurn(async () => {
      await stop()
      await spec.release()
    })
    return closed
  }

  return {
    url: spec.url,
    port: spec.port,
    dir: spec.dir,
    logFile: spec.logFile,
    get pid() {
      return child.pid!
    },
    exited: () => exited,
    async kill(signal = 'SIGKILL') {
      if (isRunning()) child.kill(signal)
      if (!harmless.has(signal)) await exited
    },
    async restart() {
      if (closed !== undefined) throw new ServerStartError(`${spec.url} is closed and cannot be restarted`)
      await inTurn(async () => {
        await stop()
        child = await spec.launch()
        exited = exitOf(child)
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * Records who serves `dir` and waits until `ask` says ready. A server that is reading its data back says so and may
 * take as long as it needs; one that ends, or says nothing for `startMs`, is an error with the end of its log.
 * After an error no process is left.
 */
export async function bringUp(
  name: string,
  child: ChildProcess,
  { dir, logFile, ask }: { dir: string; logFile: string; ask: () => Promise<Readiness> },
): Promise<void> {
  const exited = exitOf(child)
  try {
    if (child.pid !== undefined) await recordServer(dir, child.pid)
    const outcome = await Promise.race([exited, untilReady(child, ask)])
    if (outcome === 'ready') return
    const trouble = outcome === 'silent' ? `does not answer after ${startMs / 1000} s` : describeExit(outcome)
    throw new ServerStartError(`${name} ${trouble}: ${await logTail(logFile)}`)
  } catch (error) {
    child.kill('SIGKILL')
    await exited
    throw error
  }
}

async function untilReady(child: ChildProcess, ask: () => Promise<Readiness>): Promise<'ready' | 'silent'> {
  let deadline = Date.now() + startMs
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const readiness = await ask()
    if (readiness === 'ready') return 'ready'
    if (readiness === 'loading') deadline = Date.now() + startMs
    await sleep(askEveryMs)
  }
  return 'silent'
}
