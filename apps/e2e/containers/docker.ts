import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `docker` in the folder of the project; a status other than 0 is an answer, not an error. */
export function tryDocker(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 }
    execFile('docker', args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : error.code
      // No such program, or it was killed.
      if (typeof status !== 'number') reject(error)
      else resolve({ status, stdout, stderr })
    })
  })
}

/** Runs `docker` and gives its output. @throws with what it said when it fails */
export async function docker(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, stdout, stderr } = await tryDocker(args, env)
  if (status !== 0) {
    throw new Error(
      `docker ${args.join(' ')} ended with status ${status}:\n${stdout.slice(-2_000)}${stderr.slice(-4_000)}`,
    )
  }
  return stdout
}

/** Why there can be no containers here; undefined when an engine answers. */
export async function whyNoEngine(): Promise<string | undefined> {
  try {
    const { status, stderr } = await tryDocker(['version', '--format', '{{.Server.Version}}'])
    if (status !== 0) return `no container engine answers: ${stderr.trim().split('\n').at(-1)}`
    const compose = await tryDocker(['compose', 'version'])
    return compose.status === 0 ? undefined : 'docker has no compose plugin'
  } catch {
    return 'there is no docker on the PATH'
  }
}
