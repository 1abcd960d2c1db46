import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Of one file; with the one before it, an app keeps at most twice as much. */
const logBytesMax = 10 * 1024 * 1024

export type BoundedLog = { write(text: string | Uint8Array): void; close(): void }

/**
 * A log file that never passes a size: when it would, it becomes `<file>.1`, in place of the one before, and a new one
 * is begun. A disk that takes no more loses log lines, counted in `lost`, and stops nothing.
 */
export function openBoundedLog(file: string, bytesMax = logBytesMax): BoundedLog & { readonly lost: number } {
  mkdirSync(dirname(file), { recursive: true })
  let descriptor: number | undefined = openSync(file, 'a')
  let size = statSync(file).size
  let lost = 0

  const rotate = () => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
    renameSync(file, `${file}.1`)
    descriptor = openSync(file, 'a')
    size = 0
  }
  return {
    get lost() {
      return lost
    },
    write(text) {
      const bytes = typeof text === 'string' ? Buffer.from(text) : text
      try {
        if (size > 0 && size + bytes.length > bytesMax) rotate()
        descriptor ??= openSync(file, 'a')
        size += writeSync(descriptor, bytes)
      } catch {
        lost++
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}
