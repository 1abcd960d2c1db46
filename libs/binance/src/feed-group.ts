import { performance } from 'node:perf_hooks'
import { type Backoff, backoffDelayMs } from './backoff.ts'
import { FeedSocket, type FeedSocketOptions } from './feed-socket.ts'
import type { SlidingWindow } from './sliding-window.ts'
import { wait } from './wait.ts'

export interface FeedGroupOptions extends Omit<FeedSocketOptions, 'onLive' | 'onEnded'> {
  backoff: Backoff
  /** Dials of the whole feed. */
  dials: SlidingWindow
  /** The first live socket after none. */
  onUp(): void
  /** The last live socket ended. */
  onDown(reason: string): void
}

/**
 * The streams that share a connection, and the sockets that carry them one after another: one, or two while one takes over from
 * the other. A socket is replaced before the exchange ends it wherever possible, and afterwards where not.
 */
export class FeedGroup {
  readonly #options: FeedGroupOptions
  readonly #sockets = new Set<FeedSocket>()
  #liveSockets = 0
  /** Sockets in a row that did not last, see FeedLimits.stableAfterMs. */
  #failures = 0
  #leading: FeedSocket | undefined

  constructor(options: FeedGroupOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#liveSockets > 0
  }

  /**
   * The socket whose word counts for how far the exchange has come: during an overlap the old one, since the new one knows
   * nothing of what the old one has still to deliver.
   */
  get leading(): FeedSocket | undefined {
    return this.#leading
  }

  /** Keeps a live socket until the signal is aborted; then closes all and returns when they have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const closeAll = () => {
      for (const socket of this.#sockets) socket.close('the feed is stopped')
    }
    signal.addEventListener('abort', closeAll, { once: true })
    try {
      let current = await this.#openLive(signal)
      for (;;) current = await this.#replacementOf(current, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', closeAll)
      closeAll()
      await Promise.all([...this.#sockets].map(socket => socket.ended))
    }
  }

  /** Waits until `old` is to be replaced, and returns the live socket that has taken over. */
  async #replacementOf(old: FeedSocket, signal: AbortSignal): Promise<FeedSocket> {
    const why = await old.replaceDue
    const stable = old.liveMs >= this.#options.limits.stableAfterMs
    // Even a first failure waits a moment: whatever cut us off has cut off thousands, who all dial again now.
    if (stable) this.#failures = why === 'ended' ? 1 : 0
    else this.#failures++
    this.#options.log.info({ why, failures: this.#failures }, 'another socket is opened')
    for (;;) {
      const next = await this.#openLive(signal)
      await this.#overlap(old, next)
      if (next.state !== 'ended' || old.state === 'ended') {
        old.close('replaced')
        await old.ended
        this.#leading = next
        return next
      }
      // The new one did not last, and the old one is still there: try another.
      this.#failures++
    }
  }

  /** Dials until a socket is live, with growing waits. */
  async #openLive(signal: AbortSignal): Promise<FeedSocket> {
    const { backoff, dials, log, random } = this.#options
    for (;;) {
      if (this.#failures > 0) await wait(backoffDelayMs(backoff, this.#failures, random), signal)
      for (let waitMs = dials.waitMs(performance.now()); waitMs > 0; waitMs = dials.waitMs(performance.now())) {
        log.warn({ waitMs: Math.round(waitMs) }, 'too many connections lately, waiting as the exchange demands')
        await wait(waitMs, signal)
      }
      signal.throwIfAborted()
      dials.spend(performance.now())
      const socket = new FeedSocket({
        ...this.#options,
        onLive: live => this.#onLive(live),
        onEnded: (ended, reason, wasLive) => this.#onEnded(ended, reason, wasLive),
      })
      this.#sockets.add(socket)
      if (await socket.settled) return socket
      this.#failures++
      log.warn({ reason: await socket.ended, failures: this.#failures }, 'no connection to the exchange')
    }
  }

  #onLive(socket: FeedSocket): void {
    if (this.#leading === undefined || this.#leading.state === 'ended') this.#leading = socket
    this.#liveSockets++
    if (this.#liveSockets === 1) this.#options.onUp()
  }

  #onEnded(socket: FeedSocket, reason: string, wasLive: boolean): void {
    this.#sockets.delete(socket)
    if (!wasLive) return
    this.#liveSockets--
    if (this.#liveSockets === 0) this.#options.onDown(reason)
  }

  /** Waits until the old socket has delivered what was on its way when the new one came alive, or either has ended. */
  async #overlap(old: FeedSocket, next: FeedSocket): Promise<void> {
    const { overlapMs, overlapMaxMs } = this.#options.limits
    const until = next.reachedTime + overlapMs
    const endsAt = performance.now() + overlapMaxMs
    while (old.reachedTime < until && performance.now() < endsAt) {
      if (old.state === 'ended' || next.state === 'ended') return
      await new Promise(resolve => setTimeout(resolve, OVERLAP_CHECK_MS))
    }
  }
}

/** How often an overlap looks whether it is over. Nothing depends on it but how long two sockets are open. */
const OVERLAP_CHECK_MS = 20
