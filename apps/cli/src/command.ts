import type { Readable, Writable } from 'node:stream'

/** What a command reads and writes; the process itself has this form. */
export interface Io {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
}

/** One command of `chart`. */
export interface Command {
  /** The whole text of `chart NAME --help`. */
  readonly usage: string
  /** Answers the exit status. @throws UsageError for arguments that make no sense */
  run(args: readonly string[], io: Io): Promise<number>
}

/** The user asked for something that cannot be; said in one line, exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
