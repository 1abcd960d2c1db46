import { ProgressWatch } from '@chart/redis'
import type { SymbolFeed } from './symbol-feed.ts'

/** A leader whose log stands still for this long, while we hold the very trade that comes next, is overtaken. */
const STALL_MS = 400
/**
 * The same while we heard later trades only. It leaves a leader that has the same gap four turns to write that it is filling it
 * (shard-leader.ts looks every 500 ms).
 */
const STALL_BEYOND_MS = 2_000
/** How often what a symbol's leader says of it is read again while its log stands still: a gap can last as long as REST is away. */
const ASK_EVERY_MS = 1_000

/** What a standby has to know of a feed. */
export type HeardFeed = Pick<SymbolFeed, 'symbol' | 'sequence'>

/**
 * A standby's view of the leader: whose log stands still although there is work for it. Pure: it is shown heads and the time.
 *
 * Holding the trade that comes next proves that there is work. Later trades alone do not: ours may begin after the last that the leader
 * had (we started later, or lost some ourselves), and then either the leader lacks the same ones and fetches them, or it is deaf and
 * knows of none. Only what it says of the symbol tells those apart: whoever fetches says `backfilling`.
 */
export class LeaderWatch {
  readonly #next = new ProgressWatch(STALL_MS)
  readonly #beyond = new ProgressWatch(STALL_BEYOND_MS)
  readonly #askTimes = new Map<string, number>()

  /**
   * Takes what was seen of a symbol at `now` (monotonic, in milliseconds). `stalled`: overtake. `unclear`: overtake unless the leader
   * says that it is filling a gap.
   * @param head last trade id in the log
   * @param isLate our own loop came too late to this look
   */
  observe(
    { symbol, sequence }: HeardFeed,
    head: number,
    now: number,
    isLate = false,
  ): 'moving' | 'stalled' | 'unclear' {
    const isNextHeld = sequence.holds(head + 1)
    const isBeyond = !isNextHeld && (sequence.lastId ?? head) > head
    const stalled = this.#next.observe(symbol, head, isNextHeld, now, isLate)
    const stalledBeyond = this.#beyond.observe(symbol, head, isBeyond, now, isLate)
    if (stalled) return 'stalled'
    if (!stalledBeyond || now - (this.#askTimes.get(symbol) ?? Number.NEGATIVE_INFINITY) < ASK_EVERY_MS) return 'moving'
    this.#askTimes.set(symbol, now)
    return 'unclear'
  }

  /** Notes that the lead over these symbols was stolen because of what `observe` said. */
  noteSteal(feeds: readonly HeardFeed[], now: number): void {
    for (const { symbol } of feeds) {
      this.#next.noteSteal(symbol, now)
      this.#beyond.noteSteal(symbol, now)
    }
  }

  /** Forgets when the logs moved last, and keeps what steals have taught: the watch was broken off. */
  rest(): void {
    this.#next.rest()
    this.#beyond.rest()
    this.#askTimes.clear()
  }
}
