/** Lines a second; a flood of refusals fills no disk. The rest is counted. */
const LINES_PER_SECOND = 10
const SECOND_MS = 1_000

export interface Refusal {
  readonly what: 'call' | 'connection'
  /** Address and port. */
  readonly peer: string
  readonly method?: string
  /** Of a key that is known. */
  readonly keyId?: string | undefined
  readonly code?: string
  readonly reason: string
  readonly detail?: string | undefined
}

/** The audit log: a line for each refusal, and for those that had no place in their second, one line with their number. */
export class RefusalLog {
  readonly #write: (fields: object, message: string) => void
  #lines = 0
  #untold = 0
  #timer: NodeJS.Timeout | undefined

  constructor(write: (fields: object, message: string) => void) {
    this.#write = write
  }

  add(refusal: Refusal): void {
    this.#timer ??= setTimeout(() => this.#endSecond(), SECOND_MS).unref()
    if (this.#lines < LINES_PER_SECOND) {
      this.#lines++
      this.#write(refusal, 'refused')
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
    if (this.#untold > 0) this.#write({ count: this.#untold }, 'more refused in this second')
    this.#untold = 0
  }
}
