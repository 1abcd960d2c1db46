import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { searchPath } from './config.ts'
import { identityOf } from './process-identity.ts'

export type BoundOptions = Omit<SpawnOptions, 'detached'> & {
  /** What asks the child to end when we are gone; SIGKILL follows five seconds later. */
  readonly politeSignal?: NodeJS.Signals
}

/**
 * Starts a child process that ends when this process ends, also by SIGKILL (see `die-with-parent.ts`). It is in a
 * session of its own: a Ctrl-C at the terminal reaches only us, and we end our children in the order that is right.
 */
export function spawnBound(command: string, args: readonly string[], options: BoundOptions = {}): ChildProcess {
  const { politeSignal = 'SIGTERM', ...spawnOptions } = options
  const child = spawn(command, args, { ...spawnOptions, detached: true })
  const identity = child.pid === undefined ? undefined : identityOf(child.pid)
  if (identity === undefined) return child

  bound.set(identity, politeSignal)
  tellWatcher(`+ ${identity} ${politeSignal}\n`)
  child.once('exit', () => {
    bound.delete(identity)
    tellWatcher(`- ${identity}\n`)
  })
  return child
}

/** Living children and how to end them, kept so that a watcher that was killed itself can be replaced. */
const bound = new Map<string, NodeJS.Signals>()
let watcher: Writable | undefined

function tellWatcher(line: string): void {
  if (watcher === undefined) {
    watcher = startWatcher()
    // The new watcher learns the whole list, of which `line` is already part.
    for (const [identity, signal] of bound) watcher.write(`+ ${identity} ${signal}\n`)
  } else {
    watcher.write(line)
  }
}

function startWatcher(): Writable {
  const program = fileURLToPath(new URL('./die-with-parent.ts', import.meta.url))
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: searchPath() },
  })
  const pipe = child.stdin
  const forget = () => {
    if (watcher === pipe) watcher = undefined
  }
  child.once('exit', forget)
  child.once('error', forget)
  pipe.on('error', forget)
  // Neither the watcher nor our end of its pipe keeps this process alive.
  child.unref()
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  return pipe
}
