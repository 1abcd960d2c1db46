import type { Trade } from '@chart/market'

/** A run of trade ids, both ends included. */
export interface IdRange {
  readonly first: number
  readonly last: number
}

/** Holes that are remembered, so that a trade that comes too late is told from a duplicate. */
const HOLES_MAX = 10_000

/**
 * The trades of one symbol in id order, each once. A trade whose predecessor is missing waits until that comes, until
 * `windowTrades` wait (then there is a hole, and it goes on), or until the input ends. The first trade waits as well, since
 * a lower one may follow.
 */
export class TradeOrder {
  readonly #windowTrades: number
  readonly #heap: Trade[] = []
  #lastId: number | undefined
  #ended = false
  readonly #holes: IdRange[] = []
  /** Trades of an id that was handed out before. */
  duplicates = 0
  /** Trades that came when the hole they belong to had been passed: they are in no bar. */
  misplaced = 0
  holes = 0
  missing = 0
  firstHole: IdRange | undefined

  constructor(windowTrades: number) {
    this.#windowTrades = windowTrades
  }

  /** Takes a trade; call next until it answers undefined. */
  offer(trade: Trade): void {
    if (this.#lastId === undefined || trade.tradeId > this.#lastId) push(this.#heap, trade)
    else if (this.#holes.some(hole => trade.tradeId >= hole.first && trade.tradeId <= hole.last)) this.misplaced++
    else this.duplicates++
  }

  /** No more trades come: whatever waits is handed out. */
  end(): void {
    this.#ended = true
  }

  /** The next trade in order, or undefined while it has to wait. */
  next(): Trade | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined) return undefined
      const follows = this.#lastId !== undefined && top.tradeId <= this.#lastId + 1
      if (!follows && !this.#ended && this.#heap.length <= this.#windowTrades) return undefined
      pop(this.#heap)
      if (top.tradeId === this.#lastId) {
        this.duplicates++
        continue
      }
      if (!follows && this.#lastId !== undefined) this.#noteHole({ first: this.#lastId + 1, last: top.tradeId - 1 })
      this.#lastId = top.tradeId
      return top
    }
  }

  #noteHole(hole: IdRange): void {
    this.holes++
    this.missing += hole.last - hole.first + 1
    this.firstHole ??= hole
    this.#holes.push(hole)
    if (this.#holes.length > HOLES_MAX) this.#holes.shift()
  }
}

/** A binary heap, lowest id at index 0. */
function push(heap: Trade[], trade: Trade): void {
  let index = heap.length
  heap.push(trade)
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (heap[parent]!.tradeId <= trade.tradeId) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = trade
}

function pop(heap: Trade[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.tradeId < heap[child]!.tradeId) child++
    if (heap[child]!.tradeId >= last.tradeId) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = last
}
