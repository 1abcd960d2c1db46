import { performance } from 'node:perf_hooks'
import { RestError } from './rest-error.ts'
import { SlidingWindow } from './sliding-window.ts'

/** The exchange's minute. Two seconds more, since a request counts there when it arrives, not when it leaves here. */
const WEIGHT_WINDOW_MS = 62_000

/** Requests under way. Ten keep the weight of a minute busy at 100 ms an answer; more only open connections. */
const IN_FLIGHT_MAX = 10

/**
 * Callers that wait. More than every symbol of the exchange asking at once; beyond it something asks in a loop, and gets an
 * error that says so.
 */
const WAITING_MAX = 5_000

/** What it takes to tell a gate when it opens. Tests pass a clock of their own. */
export interface RequestGateOptions {
  weightMaxPerMinute: number
  now?: () => number
}

/**
 * Lets requests through in the order in which they came, as the exchange's weight allows, and none at all after it has said stop.
 * One gate for one address: the exchange counts by IP.
 */
export class RequestGate {
  readonly #weights: SlidingWindow
  readonly #now: () => number
  #waiting: Waiting[] = []
  #inFlight = 0
  #stoppedUntil = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: RequestGateOptions) {
    this.#weights = new SlidingWindow(options.weightMaxPerMinute, WEIGHT_WINDOW_MS)
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * Waits for its turn; whoever is let in calls `leave` once done.
   * @throws RestError (retryable) when too many wait; the signal's reason when it is aborted meanwhile
   */
  enter(weight: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(new RestError(`${WAITING_MAX} requests are waiting already`, { status: 0 }))
    }
    return new Promise<void>((resolve, reject) => {
      const abandon = () => {
        const index = this.#waiting.indexOf(waiting)
        if (index < 0) return
        this.#waiting.splice(index, 1)
        reject(signal?.reason)
        this.#letIn()
      }
      const waiting: Waiting = {
        weight,
        enter: () => {
          signal?.removeEventListener('abort', abandon)
          resolve()
        },
      }
      signal?.addEventListener('abort', abandon, { once: true })
      this.#waiting.push(waiting)
      this.#letIn()
    })
  }

  /** The request is over, however it ended. */
  leave(): void {
    this.#inFlight--
    this.#letIn()
  }

  /** Nobody enters for so long. A shorter stop does not shorten a longer one. */
  stopFor(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#now() + ms)
    this.#letIn()
  }

  /** The exchange says how much of its minute is used. More than we know of: others share our address, and count as we do. */
  correct(usedWeight: number): void {
    const now = this.#now()
    const unknown = usedWeight - this.#weights.used(now)
    if (unknown > 0) this.#weights.spend(now, unknown)
  }

  #letIn(): void {
    clearTimeout(this.#timer)
    while (this.#waiting.length > 0 && this.#inFlight < IN_FLIGHT_MAX) {
      const now = this.#now()
      const first = this.#waiting[0]!
      const ms = Math.max(this.#stoppedUntil - now, this.#weights.waitMs(now, first.weight))
      if (ms > 0) {
        this.#timer = setTimeout(() => this.#letIn(), ms)
        return
      }
      this.#waiting.shift()
      this.#inFlight++
      this.#weights.spend(now, first.weight)
      first.enter()
    }
  }
}

interface Waiting {
  readonly weight: number
  enter(): void
}
