import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Of one process name over all its lives: a run of ten minutes writes some 100 kB, a process in a loop of errors any amount. */
const LOG_BYTES_MAX = 20 * 1024 * 1024

export interface ProcessLog extends Disposable {
  write(text: string): void
}

/** A log file that takes LOG_BYTES_MAX and drops the rest: the beginning of a trouble tells more than its repetition. */
export function openProcessLog(file: string): ProcessLog {
  mkdirSync(dirname(file), { recursive: true })
  const descriptor = openSync(file, 'w')
  let bytes = 0
  return {
    write(text) {
      bytes += Buffer.byteLength(text)
      if (bytes <= LOG_BYTES_MAX) writeSync(descriptor, text)
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}
