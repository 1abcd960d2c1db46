import type { Socket } from 'node:net'

/** Bytes held back for one direction; past it the link is reset. What a process writes in 8 s of 5,000 trades/s is some 30 MB. */
const HELD_BYTES_MAX = 128 * 1024 * 1024

/** One direction of a link between two sockets, which can hold back what it is given, its end included, and deliver that later. */
export class HeldPipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #isHeld = false
  #hasEnded = false

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', chunk => this.#take(chunk as Buffer))
    // An end that comes without an orderly goodbye is passed on as an end: what was sent before it still arrives.
    from.on('close', () => {
      this.#hasEnded = true
      if (!this.#isHeld) to.end()
    })
    to.on('drain', () => from.resume())
  }

  hold(): void {
    this.#isHeld = true
    this.#from.resume()
  }

  release(): void {
    this.#isHeld = false
    this.#heldBytes = 0
    for (const chunk of this.#held.splice(0)) this.#to.write(chunk)
    if (this.#hasEnded) this.#to.end()
  }

  #take(chunk: Buffer): void {
    if (!this.#isHeld) {
      if (!this.#to.write(chunk)) this.#from.pause()
      return
    }
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes <= HELD_BYTES_MAX) return
    this.#held.length = 0
    this.#from.resetAndDestroy()
  }
}
