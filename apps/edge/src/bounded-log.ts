/** Lines a second; a flood of them fills no disk. The rest is counted. */
const LINES_PER_SECOND = 10
const SECOND_MS = 1_000

/** What the log says of each, and of those that had no place in their second. */
export interface BoundedLogWords {
  readonly line: string
  readonly rest: string
}

/** A line for each event of a kind that clients can cause, and for those that had no place in their second, one line with their number. */
export class BoundedLog<Fields extends object> {
  readonly #write: (fields: object, message: string) => void
  readonly #words: BoundedLogWords
  #lines = 0
  #untold = 0
  #timer: NodeJS.Timeout | undefined

  constructor(words: BoundedLogWords, write: (fields: object, message: string) => void) {
    this.#words = words
    this.#write = write
  }

  add(fields: Fields): void {
    this.#timer ??= setTimeout(() => this.#endSecond(), SECOND_MS).unref()
    if (this.#lines < LINES_PER_SECOND) {
      this.#lines++
      this.#write(fields, this.#words.line)
    } else {
      this.#untold++
    }
  }

  /** Says what is untold, before the process ends. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#endSecond()
  }

  #endSecond(): void {
    this.#timer = undefined
    this.#lines = 0
    if (this.#untold > 0) this.#write({ count: this.#untold }, this.#words.rest)
    this.#untold = 0
  }
}
