import { readFile } from 'node:fs/promises'

/**
 * How often files are read again. Kubernetes brings a changed secret within a minute or so, by swapping a link: events of the file
 * system are about the link and easily missed, so the content itself is compared.
 */
const LOOK_MS = 5_000

export interface WatchedFiles extends Disposable {
  /** Looks now; resolves when it has. */
  look(): Promise<void>
}

/**
 * Calls `onChange` with the texts of the files, in their order, whenever one of them has changed since it was last called (or since
 * `first`). What `onChange` throws, and a file that cannot be read, go to `onError`, once for each state of the files: what was read
 * before stays in use.
 * @param first the texts in use
 */
export function watchFiles(options: {
  readonly paths: readonly string[]
  readonly first: readonly string[]
  readonly lookMs?: number
  onChange(texts: readonly string[]): void
  onError(error: Error): void
}): WatchedFiles {
  const { paths, onChange, onError } = options
  let last = JSON.stringify(options.first)
  let looking: Promise<void> | undefined
  const lookOnce = async () => {
    const texts = await readFiles(paths).catch((error: Error) => error)
    const now = texts instanceof Error ? texts.message : JSON.stringify(texts)
    if (now === last) return
    last = now
    try {
      if (texts instanceof Error) throw texts
      onChange(texts)
    } catch (error) {
      onError(error as Error)
    }
  }
  const look = () => {
    looking ??= lookOnce().finally(() => {
      looking = undefined
    })
    return looking
  }
  const timer = setInterval(look, options.lookMs ?? LOOK_MS).unref()
  return {
    look,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** @throws Error naming the file that cannot be read */
export function readFiles(paths: readonly string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async path => {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
      }
    }),
  )
}
