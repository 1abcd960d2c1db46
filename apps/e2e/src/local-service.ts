import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '@chart/servers'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** How often a condition is looked at. */
const LOOK_MS = 100
/** A start installs nothing here, so it is a matter of seconds; the machine may be busy. */
const START_TIMEOUT_MS = 90_000

/** What `npm start` says of itself in run.json. */
export interface Run {
  readonly pid: number
  readonly grpc: string
  /** Only while the page is served. It is built beside everything else, and nothing waits for it. */
  readonly dashboard?: string
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly binanceApiUrl: string
  readonly processes: readonly { name: string; pid?: number; state: string; restarts: number }[]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The whole service as a user starts it, on the simulated exchange, with data in a folder of its own. */
export class LocalService implements AsyncDisposable {
  readonly dataDir: string
  readonly #ownsDir: boolean
  readonly #child: ChildProcess
  #output = ''

  private constructor(env: Readonly<Record<string, string>>, dataDir?: string) {
    this.#ownsDir = dataDir === undefined
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'chart-e2e-'))
    this.#child = spawn(process.execPath, [join(ROOT, 'apps/local/src/main.ts'), '--simulate'], {
      cwd: ROOT,
      // Bars taken over from the exchange have no trade ids: what is compared with the oracle here is made of trades.
      env: {
        ...process.env,
        // It ends with us, also when a test that hangs is given up.
        CHART_BOOTSTRAP_PID: String(process.pid),
        IMPORT_BARS: '0',
        PAST_MINUTES: '0',
        ...env,
        DATA_DIR: this.dataDir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000)
      })
    }
  }

  /** Starts it and waits until every process is ready. */
  static async start(env: Readonly<Record<string, string>>, dataDir?: string): Promise<LocalService> {
    // Services of several tests run at the same time. With the usual ports each would take them when they are free, also in the
    // moment in which another's edge has been killed and is started again.
    const ports = { GRPC_PORT: String(await freePort()), HTTP_PORT: String(await freePort()) }
    const service = new LocalService({ ...ports, ...env }, dataDir)
    const ready = service.until(
      'every process is ready',
      () => {
        const run = service.tryRun()
        const names = [
          'redis',
          'postgres',
          'exchange-simulator',
          'ingestor-1',
          'ingestor-2',
          'aggregator-1',
          'aggregator-2',
          'persister',
          'auditor',
          'edge',
        ]
        return names.every(name => run?.processes.some(one => one.name === name && one.state === 'ready'))
      },
      START_TIMEOUT_MS,
    )
    try {
      await ready
    } catch (error) {
      await service[Symbol.asyncDispose]()
      throw error
    }
    return service
  }

  get run(): Run {
    const run = this.tryRun()
    if (run === undefined) throw new Error(`the service does not run; its output:\n${this.#output}`)
    return run
  }

  tryRun(): Run | undefined {
    try {
      return JSON.parse(readFileSync(join(this.dataDir, 'simulated', 'run.json'), 'utf8'))
    } catch {
      return undefined
    }
  }

  pidOf(name: string): number | undefined {
    return this.run.processes.find(one => one.name === name)?.pid
  }

  /** Kills one process without a warning and waits until another is ready in its place. */
  async killAndAwaitNext(name: string): Promise<void> {
    const pid = this.pidOf(name)
    if (pid === undefined) throw new Error(`${name} has no process`)
    process.kill(pid, 'SIGKILL')
    await this.until(`${name} is ready again`, () =>
      this.run.processes.some(
        one => one.name === name && one.pid !== undefined && one.pid !== pid && one.state === 'ready',
      ),
    )
  }

  /** Waits until `condition` holds. What it throws counts as not yet, and is told when time runs out. */
  async until(
    what: string,
    condition: () => boolean | undefined | Promise<boolean>,
    timeoutMs = 60_000,
  ): Promise<void> {
    const deadline = Date.now() + timeoutMs
    let last: unknown
    for (;;) {
      try {
        if (await condition()) return
        last = undefined
      } catch (error) {
        last = error
      }
      if (this.#child.exitCode !== null) throw new Error(`the service has ended; its output:\n${this.#output}`)
      if (Date.now() > deadline) {
        throw new Error(`not within ${timeoutMs} ms: ${what}; output:\n${this.#output}`, { cause: last })
      }
      await sleep(LOOK_MS)
    }
  }

  /** Ctrl-C. Gives the exit status and the processes that are left, which should be none. */
  async interrupt(): Promise<{ status: number | null; left: string[] }> {
    const { processes } = this.run
    this.#child.kill('SIGINT')
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    const left = processes.filter(one => one.pid !== undefined && isAlive(one.pid)).map(one => one.name)
    return { status: this.#child.exitCode, left }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGINT')
      await once(this.#child, 'exit')
    }
    if (this.#ownsDir) rmSync(this.dataDir, { recursive: true, force: true })
  }
}
