import { execFileSync, spawn } from 'node:child_process'
import { exitOf } from './exit.ts'
import { findCommand } from './find-command.ts'

/** Runs a shell script as root; gives its exit status, and what apt-get said of errors. */
export type RunAsRoot = (script: string) => Promise<{ code: number | null; errors: string }>

/** Where packages can be installed without asking anybody: apt-get, and root or sudo without a password. Otherwise undefined. */
export function findApt(): RunAsRoot | undefined {
  const asRoot = rootPrefix()
  if (process.platform !== 'linux' || findCommand('apt-get') === undefined || asRoot === undefined) return undefined
  return async script => {
    const [command, ...args] = [...asRoot, 'sh', '-c', script]
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines = keepLastLines(child.stdout, child.stderr)
    const { code } = await exitOf(child)
    return { code, errors: lines() }
  }
}

/** What goes before a command to run it as root without being asked for a password. */
function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return []
  if (findCommand('sudo') === undefined) return undefined
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
    return ['sudo', '-n']
  } catch {
    return undefined
  }
}

function keepLastLines(...streams: NodeJS.ReadableStream[]): () => string {
  let tail = ''
  for (const stream of streams) {
    stream.on('data', chunk => {
      tail = (tail + String(chunk)).slice(-2_048)
    })
  }
  return () =>
    tail
      .split('\n')
      .filter(line => /^(E:|W:|Err)/.test(line))
      .slice(-2)
      .join(' | ')
}
