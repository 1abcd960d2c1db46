import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describeExit, type Exit, spawnBound } from '@chart/servers'
import { openProcessLog, type ProcessLog } from './process-log.ts'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

/** A process that ends by itself is started again after this long, so that a run tells more than its first failure. */
const RESTART_MS = 1_000
/** The apps give themselves 25 s to stop. */
const STOP_MS = 30_000

/** Of the present process's output, for judging its end. */
const SAID_CHARACTERS = 4_000
const SHOWN_CHARACTERS = 500

export interface ReplicaSpec {
  /** `aggregator-2` */
  readonly name: string
  /** Folder below `apps`. */
  readonly app: string
  readonly env: Readonly<Record<string, string>>
  readonly logDir: string
}

/** One process of the service, which is started again whenever it ends, as Kubernetes would. */
export class Replica {
  readonly name: string
  readonly app: string
  /** Ends that nobody had asked for: failures of the run. */
  readonly unexpectedExits: string[] = []
  /** How often a process could not start because a server was away, said so, and ended: it is started again until it can. */
  failedStarts = 0
  readonly #spec: ReplicaSpec
  readonly #log: ProcessLog
  #child: ChildProcess
  #exited: Promise<Exit>
  /** The end of what the present process has said. */
  #said = ''
  #stopping = false
  /** How long the next life waits; set by kill(). */
  #restartMs: number | undefined
  #kept: Promise<void>

  constructor(spec: ReplicaSpec) {
    this.#spec = spec
    this.name = spec.name
    this.app = spec.app
    this.#log = openProcessLog(join(spec.logDir, `${spec.name}.log`))
    this.#child = this.#start()
    this.#exited = endOf(this.#child)
    this.#kept = this.#keep()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** SIGKILL; another is started `restartMs` later. Resolves when that has been. */
  async kill(restartMs: number): Promise<void> {
    this.#restartMs = restartMs
    this.#child.kill('SIGKILL')
    await this.#exited
    await sleep(restartMs)
  }

  /** SIGSTOP for `ms`: to the others it is a process that does not answer, and it wakes believing that nothing happened. */
  async pause(ms: number): Promise<void> {
    const child = this.#child
    child.kill('SIGSTOP')
    await sleep(ms)
    child.kill('SIGCONT')
  }

  /** SIGTERM. Gives what is wrong with how it ended, or undefined. */
  async stop(): Promise<string | undefined> {
    this.#stopping = true
    this.#child.kill('SIGCONT')
    this.#child.kill('SIGTERM')
    const ended = new AbortController()
    const late = sleep(STOP_MS, 'late' as const, { signal: ended.signal }).catch(() => 'late' as const)
    const exit = await Promise.race([this.#exited, late])
    ended.abort()
    if (exit === 'late') this.killNow()
    await this.#kept
    if (exit === 'late') return `${this.name} did not stop within ${STOP_MS} ms`
    return exit.code === 0 ? undefined : `${this.name} ${describeExit(exit)} when it was asked to stop`
  }

  killNow(): void {
    this.#stopping = true
    this.#child.kill('SIGKILL')
  }

  /** Nobody had asked for this end. */
  #judge({ code }: Exit, end: string): void {
    if (code === 1 && /^\w+: cannot reach (Redis|PostgreSQL) /m.test(this.#said)) this.failedStarts++
    else this.unexpectedExits.push(`${end}: ${this.#said.slice(-SHOWN_CHARACTERS)}`)
  }

  #start(): ChildProcess {
    const entry = join(ROOT, 'apps', this.#spec.app, 'src', 'main.ts')
    const child = spawnBound(process.execPath, [entry], {
      cwd: ROOT,
      env: this.#spec.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#log.write(`--- ${new Date().toISOString()} ${this.name} started as process ${child.pid}\n`)
    this.#said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-SAID_CHARACTERS)
        this.#log.write(text)
      })
    }
    return child
  }

  async #keep(): Promise<void> {
    for (;;) {
      const exit = await this.#exited
      const end = `${new Date().toISOString()} ${this.name} ${describeExit(exit)}`
      this.#log.write(`--- ${end}\n`)
      if (this.#stopping) break
      if (this.#restartMs === undefined) this.#judge(exit, end)
      await sleep(this.#restartMs ?? RESTART_MS)
      this.#restartMs = undefined
      if (this.#stopping) break
      this.#child = this.#start()
      this.#exited = endOf(this.#child)
    }
    this.#log[Symbol.dispose]()
  }
}

/** How a process has ended, once everything that it said has been read: by its last line it is judged. */
async function endOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close')
  return { code, signal }
}
