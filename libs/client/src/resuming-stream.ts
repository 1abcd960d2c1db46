import { type BarClient, rpcFailureOf, type StreamBarsRequest, type StreamBarsResponse } from '@chart/grpc'
import { ChartError, type ChartErrorCode } from './chart-error.ts'
import type { ChartEvent } from './chart-event.ts'
import { type CallEnding, canResume, ResumePause } from './resume-policy.ts'
import type { StreamProgress } from './stream-progress.ts'

/** An edge tells how its feeds are every 5 s; one that says nothing for this long is not there any more, whatever its socket says. */
const SILENCE_MAX_MS = 30_000

/** A call of the stream ended, and another goes on where it stopped. */
export interface Reconnect {
  /** Why the call ended. */
  readonly code: ChartErrorCode
  readonly details: string
  /** Until the next call. */
  readonly pauseMs: number
}

export interface ResumingStreamOptions {
  readonly client: BarClient
  readonly address: string
  readonly request: Partial<StreamBarsRequest>
  readonly progress: StreamProgress
  /** How long to try before the first response of all. */
  readonly connectWithinMs: number
  readonly silenceMaxMs?: number | undefined
  readonly onReconnect?: ((reconnect: Reconnect) => void) | undefined
  readonly signal: AbortSignal
}

/**
 * The events of one endless stream, made of as many calls as it takes. Ends when the signal aborts.
 * @throws ChartError when calling again cannot help, or no edge was reached within connectWithinMs
 */
export async function* resumingStream(options: ResumingStreamOptions): AsyncGenerator<ChartEvent, void, undefined> {
  const { client, progress, connectWithinMs, silenceMaxMs = SILENCE_MAX_MS, onReconnect, signal } = options
  const pause = new ResumePause()
  const deadline = performance.now() + connectWithinMs
  let reached = false
  while (!signal.aborted) {
    const call = new StreamCall(signal)
    const waitForReady = reached || connectWithinMs > 0
    const request = { ...options.request, ...progress.request() }
    const responses = client.streamBars(request, call.signal, { waitForReady })[Symbol.asyncIterator]()
    try {
      for (;;) {
        const withinMs = reached || !waitForReady ? silenceMaxMs : deadline - performance.now()
        const response = await call.next(responses, withinMs)
        if (response === undefined) break
        reached = true
        yield* progress.take(response)
      }
    } finally {
      call.end()
      await responses.return?.(undefined)
    }
    if (signal.aborted) return
    const ending = call.ending
    const pauseMs = pause.after(ending)
    const isTooLate = !reached && performance.now() + pauseMs >= deadline
    if (isTooLate || !canResume(ending, reached)) throw await failureOf(ending, reached, options)
    onReconnect?.({ code: ending.code, details: ending.details, pauseMs })
    await pauseFor(pauseMs, signal)
  }
}

/** An edge that cannot be connected to does not say why by itself: calls wait for it. */
async function failureOf(
  ending: CallEnding,
  reached: boolean,
  { client, address, connectWithinMs }: ResumingStreamOptions,
) {
  if (reached || ending.code !== 'DEADLINE_EXCEEDED') return new ChartError(ending, address)
  const reason = (await client.connectionFailure()) ?? `no answer within ${connectWithinMs / 1_000} s`
  return new ChartError({ code: 'UNAVAILABLE', details: reason }, address)
}

/** One call, and how it ended. */
class StreamCall {
  readonly #stop = new AbortController()
  readonly #parent: AbortSignal
  readonly #abort = () => this.#stop.abort()
  #hadMessages = false
  #last: StreamBarsResponse | undefined
  #failure: { code: ChartErrorCode; details: string } = { code: 'OK', details: 'the edge ended the call' }

  constructor(parent: AbortSignal) {
    this.#parent = parent
    parent.addEventListener('abort', this.#abort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get ending(): CallEnding {
    const inGoodOrder = this.#failure.code === 'UNAVAILABLE' && (this.#last?.positions.length ?? 0) > 0
    return { ...this.#failure, hadMessages: this.#hadMessages, inGoodOrder }
  }

  /** The next response; undefined when the call has ended. Only waiting counts: a reader may take its time. */
  async next(responses: AsyncIterator<StreamBarsResponse>, withinMs: number): Promise<StreamBarsResponse | undefined> {
    const silence = setTimeout(() => {
      this.#failure = { code: 'DEADLINE_EXCEEDED', details: `the edge said nothing for ${Math.round(withinMs)} ms` }
      this.#stop.abort()
    }, withinMs)
    try {
      const { value, done } = await responses.next()
      if (done === true) return undefined
      this.#hadMessages = true
      this.#last = value
      return value
    } catch (error) {
      const failure = rpcFailureOf(error)
      if (failure === undefined) throw error
      this.#failure = failure
      return undefined
    } finally {
      clearTimeout(silence)
    }
  }

  end(): void {
    this.#parent.removeEventListener('abort', this.#abort)
    this.#stop.abort()
  }
}

function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
