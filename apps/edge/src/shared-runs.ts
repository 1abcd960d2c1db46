/**
 * Runs one piece of work for everyone who asks for the same at about the same time. Who asks gets a run that begins after the asking, so
 * that it has seen everything up to then; all who ask while one is under way share the next.
 */
export class SharedRuns<T> {
  readonly #work: (key: string) => Promise<T>
  readonly #current = new Map<string, Promise<unknown>>()
  readonly #next = new Map<string, Promise<T>>()

  constructor(work: (key: string) => Promise<T>) {
    this.#work = work
  }

  run(key: string): Promise<T> {
    let next = this.#next.get(key)
    if (next === undefined) {
      next = this.#after(key)
      this.#next.set(key, next)
    }
    return next
  }

  async #after(key: string): Promise<T> {
    await this.#current.get(key)
    this.#next.delete(key)
    const run = this.#work(key)
    const settled = run.then(
      () => undefined,
      () => undefined,
    )
    this.#current.set(key, settled)
    try {
      return await run
    } finally {
      if (this.#current.get(key) === settled) this.#current.delete(key)
    }
  }
}
