import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { endProcess } from '../../harness/bench-process.ts'

/** Of a process's output only the beginning is kept, which has what is looked for. */
const OUTPUT_MAX = 100_000

/** An app as production starts it: its main.ts and variables. */
export interface AppProcess extends AsyncDisposable {
  readonly pid: number
  /** By performance.now(). */
  readonly startTime: number
  /**
   * What the first group of `pattern` found in its output, or all of it; undefined as long as there is nothing.
   * @throws Error when the process has ended
   */
  said(pattern: RegExp): string | undefined
  kill(signal: NodeJS.Signals): void
}

export function startApp(app: string, env: Readonly<Record<string, string>>): AppProcess {
  const file = fileURLToPath(new URL(`../../../../${app}/src/main.ts`, import.meta.url))
  const startTime = performance.now()
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(0, OUTPUT_MAX)
  })
  return {
    pid: child.pid!,
    startTime,
    said(pattern) {
      if (child.exitCode !== null) throw new Error(`the ${app} has ended with ${child.exitCode}:\n${output}`)
      const found = pattern.exec(output)
      return found?.[1] ?? found?.[0]
    },
    kill: signal => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      endProcess(child)
      await exited
    },
  }
}
