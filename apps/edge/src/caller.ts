import { type Rate, RpcError, TokenBucket } from '@chart/grpc'
import type { CallKind } from './call-scope.ts'
import type { CallerLimits } from './key-ring.ts'

/** Reflection and watched health that one caller may have open: each holds its answers until they are read. */
const TOOLS_MAX = 20
/** What comes at once, after a quiet time, as a multiple of a second's worth. */
const BURST_SECONDS = 10

/** What one caller has open and has lately done: a key, or an address where there are no keys. */
export class Caller {
  readonly #limits: CallerLimits
  readonly #buckets: Readonly<Record<Exclude<CallKind, 'tool'>, TokenBucket>>
  readonly #open: Record<CallKind, number> = { stream: 0, list: 0, call: 0, tool: 0 }

  constructor(limits: CallerLimits, now: number) {
    this.#limits = limits
    this.#buckets = {
      stream: new TokenBucket({ perSecond: limits.newStreamsPerSecond, burst: Math.max(2 * limits.streams, 1) }, now),
      list: new TokenBucket(secondsOf(limits.listBarsPerSecond), now),
      call: new TokenBucket(secondsOf(limits.callsPerSecond), now),
    }
  }

  /** Counts a call. @throws RpcError RESOURCE_EXHAUSTED with what to do */
  begin(kind: CallKind, now: number): void {
    if (kind === 'stream' && this.#open.stream >= this.#limits.streams) {
      throw exhausted(`${this.#limits.streams} streams are open already; end some, or put more symbols into one`)
    }
    if (kind === 'tool') {
      if (this.#open.tool >= TOOLS_MAX) throw exhausted(`${TOOLS_MAX} such calls are open already; end some`)
    } else if (!this.#buckets[kind].take(now)) {
      throw exhausted(TOO_FAST[kind](this.#limits))
    }
    this.#open[kind]++
  }

  end(kind: CallKind): void {
    this.#open[kind]--
  }

  /** Has nothing open, and a new one would be allowed no more. */
  isIdle(now: number): boolean {
    return (
      Object.values(this.#open).every(count => count === 0) &&
      Object.values(this.#buckets).every(bucket => bucket.isFull(now))
    )
  }
}

const TOO_FAST: Readonly<Record<Exclude<CallKind, 'tool'>, (limits: CallerLimits) => string>> = {
  stream: ({ newStreamsPerSecond }) =>
    `more than ${newStreamsPerSecond} new streams a second; wait a few seconds, and longer after each failure`,
  list: ({ listBarsPerSecond }) =>
    `more than ${listBarsPerSecond} ListBars calls a second; make fewer with larger pages, or follow a stream`,
  call: ({ callsPerSecond }) => `more than ${callsPerSecond} calls a second; follow a stream instead of asking again`,
}

function secondsOf(perSecond: number): Rate {
  return { perSecond, burst: perSecond * BURST_SECONDS }
}

function exhausted(message: string): RpcError {
  return new RpcError('RESOURCE_EXHAUSTED', message)
}
