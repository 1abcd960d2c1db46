/** Something that is drawn anew when it has changed. */
export interface Drawable {
  drawFrame(): void
}

/** Draws all that has changed since the last picture of the screen at once, before the next one. */
export class Frames {
  readonly #changed = new Set<Drawable>()
  #isAsked = false

  request(drawable: Drawable): void {
    this.#changed.add(drawable)
    if (this.#isAsked) return
    this.#isAsked = true
    requestAnimationFrame(() => {
      this.#isAsked = false
      const changed = [...this.#changed]
      this.#changed.clear()
      for (const one of changed) one.drawFrame()
    })
  }

  /** For what is no longer on the page. */
  forget(drawable: Drawable): void {
    this.#changed.delete(drawable)
  }
}
