import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const lineLengthMax = 300
const tailMax = 8_192
/** How long after the end of a process its last words are waited for. */
const lastWordsMs = 200

export type ProcessOutput = {
  /** The last line written so far, for people to read; empty when there is none. */
  lastLine(): string
  /** Resolves when all that the ended process wrote has been read. */
  readonly ended: Promise<unknown>
}

/** Hands on what a child process writes to standard output and standard error. */
export function readOutput(child: ChildProcess, handOn: (chunk: Uint8Array) => void): ProcessOutput {
  let tail = ''
  // There are no streams when the system has no file descriptors left.
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      handOn(chunk)
      tail = (tail + chunk.toString('utf8')).slice(-tailMax)
    })
  }
  const closed = once(child, 'close').catch(() => {})
  const exited = once(child, 'exit').catch(() => {})
  return {
    lastLine: () => readableLine(tail.split('\n').findLast(line => line.trim() !== '') ?? ''),
    ended: Promise.race([closed, exited.then(() => sleep(lastWordsMs, undefined, { ref: false }))]),
  }
}

/** A log line's message when it is one of ours (JSON with `msg`), otherwise the line itself. */
export function readableLine(line: string): string {
  let text = line.trim()
  try {
    const { msg } = JSON.parse(text) as { msg?: unknown }
    if (typeof msg === 'string') text = msg
  } catch {
    // Plain text.
  }
  return text.length > lineLengthMax ? `${text.slice(0, lineLengthMax - 1)}…` : text
}
