/**
 * Asks each question once for all who want it at about the same time, and only so many at once. Who asks gets an answer that was begun
 * after the asking, so that it has seen everything up to then; all who ask while one is under way share the next.
 */
export class SharedQuestions {
  readonly #askedMax: number
  readonly #waitingMax: number
  readonly #current = new Map<string, Promise<unknown>>()
  readonly #next = new Map<string, Promise<unknown>>()
  readonly #turns: (() => void)[] = []
  #asked = 0

  /** @param waitingMax more questions that wait for their turn are refused */
  constructor({ askedMax, waitingMax }: { askedMax: number; waitingMax: number }) {
    this.#askedMax = askedMax
    this.#waitingMax = waitingMax
  }

  /**
   * @param key the same for the same question
   * @throws TooManyQuestionsError; what `ask` throws
   */
  ask<T>(key: string, ask: () => Promise<T>): Promise<T> {
    let next = this.#next.get(key) as Promise<T> | undefined
    if (next === undefined) {
      next = this.#askAfter(key, ask)
      this.#next.set(key, next)
    }
    return next
  }

  async #askAfter<T>(key: string, ask: () => Promise<T>): Promise<T> {
    try {
      await this.#current.get(key)
      await this.#turn()
    } finally {
      this.#next.delete(key)
    }
    const answer = ask()
    const settled = answer.then(
      () => undefined,
      () => undefined,
    )
    this.#current.set(key, settled)
    try {
      return await answer
    } finally {
      if (this.#current.get(key) === settled) this.#current.delete(key)
      const turn = this.#turns.shift()
      if (turn === undefined) this.#asked--
      else turn()
    }
  }

  /** Resolves when it is this question's turn. */
  async #turn(): Promise<void> {
    if (this.#asked < this.#askedMax) {
      this.#asked++
      return
    }
    if (this.#turns.length >= this.#waitingMax)
      throw new TooManyQuestionsError('too many questions wait for their turn')
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turns.push(resolve)
    await promise
  }
}

/** So many questions wait that this one was not asked. */
export class TooManyQuestionsError extends Error {
  override name = 'TooManyQuestionsError'
}
