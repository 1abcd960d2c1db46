import type { ChartErrorCode } from './chart-error.ts'

/** Pauses between calls: drawn between zero and a bound that begins here and doubles, so that clients of a lost edge come apart. */
const PAUSE_MS = 250
const PAUSE_MAX_MS = 10_000
/** After a call that the edge ended in good order: at once, but not all its clients in the same moment. */
const JITTER_MS = 100

/** How a call of a stream ended. */
export interface CallEnding {
  readonly code: ChartErrorCode
  readonly details: string
  /** The call had brought something. */
  readonly hadMessages: boolean
  /** The edge said where the client stands before it ended the call: it stops, or wants its clients spread anew. */
  readonly inGoodOrder: boolean
}

/**
 * Whether another call can go on where this one ended. A request that was refused will be refused again; of the codes that say so
 * RESOURCE_EXHAUSTED is one when nothing came before it (a limit on calls), and none when something did (the client read too slowly).
 */
export function canResume({ code, hadMessages }: CallEnding, streamHadMessages: boolean): boolean {
  switch (code) {
    case 'OK':
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
    case 'CANCELLED':
    case 'ABORTED':
    case 'INTERNAL':
    case 'UNKNOWN':
      return true
    case 'RESOURCE_EXHAUSTED':
      return hadMessages || streamHadMessages
    default:
      return false
  }
}

/** How long to wait before each next call. */
export class ResumePause {
  #failures = 0
  readonly #random: () => number

  /** @param random from 0 up to and without 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** In milliseconds. */
  after({ hadMessages, inGoodOrder }: CallEnding): number {
    if (hadMessages) this.#failures = 0
    const boundMs = inGoodOrder && hadMessages ? JITTER_MS : Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** this.#failures)
    this.#failures++
    return this.#random() * boundMs
  }
}
