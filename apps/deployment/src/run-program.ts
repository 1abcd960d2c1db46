import { spawn } from 'node:child_process'

export interface ProgramOutcome {
  /** Undefined when there is no such program. */
  readonly status: number | undefined
  /** What it said, both streams in the order in which it came. */
  readonly text: string
}

interface ProgramOptions {
  readonly cwd: string
  readonly timeoutMs: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end. One that takes too long is ended, which counts as a failure. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, timeoutMs, env = {} }: ProgramOptions,
): Promise<ProgramOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    const note = (chunk: string) => {
      text += chunk
    }
    child.stdout.setEncoding('utf8').on('data', note)
    child.stderr.setEncoding('utf8').on('data', note)
    const timer = setTimeout(() => {
      text += `\nended after ${timeoutMs / 1000} s\n`
      child.kill('SIGTERM')
    }, timeoutMs)
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      if (error.code === 'ENOENT') resolve({ status: undefined, text })
      else reject(error)
    })
    child.on('close', status => {
      clearTimeout(timer)
      resolve({ status: status ?? 1, text })
    })
  })
}
