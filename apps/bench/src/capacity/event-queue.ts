interface Event {
  readonly time: number
  readonly run: () => void
}

/** What is to happen, earliest first: a binary heap. */
export class EventQueue {
  readonly #heap: Event[] = []
  /** Of the event that runs. */
  now = 0

  at(time: number, run: () => void): void {
    const heap = this.#heap
    heap.push({ time, run })
    let index = heap.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.time <= heap[index]!.time) break
      ;[heap[parent], heap[index]] = [heap[index]!, heap[parent]!]
      index = parent
    }
  }

  /** Runs what is due before `time`. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.time < time; next = this.#heap[0]) {
      this.#removeFirst()
      this.now = next.time
      next.run()
    }
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    heap[0] = last
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      if (left >= heap.length) return
      const right = left + 1
      const child = right < heap.length && heap[right]!.time < heap[left]!.time ? right : left
      if (heap[index]!.time <= heap[child]!.time) return
      ;[heap[child], heap[index]] = [heap[index]!, heap[child]!]
      index = child
    }
  }
}
