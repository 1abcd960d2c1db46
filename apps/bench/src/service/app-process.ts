import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How long an app may take to end by itself before it is made to. */
const STOP_MAX_MS = 15_000
/** What is kept of an app's log, to be shown when it ends too early. */
const OUTPUT_CHARS = 20_000

/** A program of the product as it runs in production, by its main file and variables. */
export class AppProcess implements AsyncDisposable {
  readonly name: string
  readonly #child: ChildProcess
  #output = ''

  /** @param app folder of apps/ */
  constructor(app: string, name: string, env: Readonly<Record<string, string>>) {
    this.name = name
    const main = fileURLToPath(new URL(`../../../${app}/src/main.ts`, import.meta.url))
    const common = { HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', MEMBER: name }
    this.#child = spawn(process.execPath, [main], {
      env: { ...process.env, ...common, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARS)
      })
    }
  }

  get pid(): number {
    return this.#child.pid!
  }

  get output(): string {
    return this.#output
  }

  /** @throws Error with the end of its log when the app has ended */
  mustRun(): void {
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) return
    throw new Error(`${this.name} has ended with ${exitCode ?? signalCode}:\n${this.#output}`)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MAX_MS)
    await exited
    clearTimeout(impatience)
  }
}
