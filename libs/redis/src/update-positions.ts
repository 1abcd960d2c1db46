/**
 * Where each partition's updates stand: every one says which position it follows, so one that got lost on the way shows with the next.
 * After a reconnect nothing is known, since numbers may have begun anew meanwhile; then what is read has to reach the first that comes.
 */
export class UpdatePositions {
  readonly #last = new Map<string, number>()
  /** Position that the first update followed of those that came when none was known. */
  readonly #firstFollowed = new Map<string, number>()

  /** Takes an update; false when one before it was missed. */
  take(tag: string, previousPosition: number, position: number): boolean {
    const known = this.#last.get(tag)
    this.#last.set(tag, position)
    if (known === undefined) this.#firstFollowed.set(tag, previousPosition)
    return known === undefined || known === previousPosition
  }

  /**
   * Takes the position that the bars were read at; false when updates are missing between it and the first that came. Says so once, since
   * a position can be lost as well.
   */
  reach(tag: string, position: number): boolean {
    const followed = this.#firstFollowed.get(tag) ?? 0
    this.#firstFollowed.delete(tag)
    if (followed > position) return false
    // Until an update has come, the position read is the one that the first has to follow.
    if (!this.#last.has(tag)) this.#last.set(tag, position)
    return true
  }

  /** Updates may have been missed, and numbers have begun anew: what was told before proves nothing. */
  forget(tag: string): void {
    this.#last.delete(tag)
    this.#firstFollowed.delete(tag)
  }
}
