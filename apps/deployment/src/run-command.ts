import { spawn } from 'node:child_process'

/** What a command has said and how it ended. */
export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A render takes a tenth of a second, a dry run some seconds; a cluster that does not answer must not hold up the checks. */
const TIMEOUT_MS = 60_000

export interface CommandOptions {
  readonly cwd?: string
  /** The whole environment; this process's where it is left out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number
}

/**
 * Undefined when there is no such command.
 * @throws an AbortError when it takes too long
 */
export function runCommand(
  command: string,
  args: readonly string[],
  input = '',
  { timeoutMs = TIMEOUT_MS, ...options }: CommandOptions = {},
): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: AbortSignal.timeout(timeoutMs),
      ...options,
    })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    }
    child.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)))
    child.on('close', status => resolve({ status, ...said }))
    // One that ends without reading breaks the pipe; its status tells why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
