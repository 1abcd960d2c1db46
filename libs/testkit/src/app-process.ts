import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BARE_ENV } from './bare-env.ts'

/** An app as a process, and what it has said. */
export interface AppProcess {
  readonly child: ChildProcess
  readonly output: { text: string }
  /** Exit status; null when a signal ended it. */
  readonly exited: Promise<number | null>
}

const running = new Set<ChildProcess>()

/**
 * Starts `apps/<app>/src/<entry>.ts` with `env`, a free health port and a local health host.
 */
export function runApp(app: string, env: Readonly<Record<string, string>>, entry = 'main'): AppProcess {
  const file = fileURLToPath(new URL(`../../../apps/${app}/src/${entry}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file], {
    env: { ...BARE_ENV, HEALTH_PORT: '0', HEALTH_HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.text += text
    })
  }
  const exited = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  return { child, output, exited }
}

/** Ends what a test left running, also when it failed. */
export async function killApps(): Promise<void> {
  await Promise.all(
    [...running].map(child => {
      child.kill('SIGKILL')
      return once(child, 'close')
    }),
  )
}
