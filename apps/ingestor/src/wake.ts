/** Lets one waiter know that there is something to do; being told twice before it looks is the same as once. */
export class Wake {
  #next = Promise.withResolvers<void>()

  /** There is something to do. */
  notice(): void {
    this.#next.resolve()
  }

  /** Resolves when there is; from then on a later notice counts anew. */
  async noticed(): Promise<void> {
    await this.#next.promise
    this.#next = Promise.withResolvers()
  }
}
