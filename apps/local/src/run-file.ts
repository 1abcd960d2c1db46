import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type RunFile = Disposable & { write(content: unknown): void }

/**
 * `run.json` says to other programs what runs and where: addresses and process numbers. It is there as long as we are,
 * readable by its owner only, since addresses may hold passwords.
 */
export function openRunFile(dir: string): RunFile {
  const file = join(dir, 'run.json')
  let written = ''
  return {
    write(content) {
      const text = `${JSON.stringify(content, undefined, 2)}\n`
      if (text === written) return
      try {
        writeFileSync(`${file}.unfinished`, text, { mode: 0o600 })
        renameSync(`${file}.unfinished`, file)
        written = text
      } catch {
        // A full disk: tried again with the next picture, and no reason to end the service.
      }
    },
    [Symbol.dispose]() {
      rmSync(file, { force: true })
    },
  }
}
