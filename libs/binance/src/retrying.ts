import { backoffDelayMs, REST_BACKOFF } from './backoff.ts'
import { type Log, SILENT } from './log.ts'
import { RestError } from './rest-error.ts'
import { wait } from './wait.ts'

export interface RetryingOptions {
  signal: AbortSignal
  log?: Log
  random?: () => number
}

/**
 * The result of `attempt`, which is made again for as long as its error says that this can help. The one place where retries of
 * REST are decided. A pause that the exchange asked for is kept by BinanceRest's gate, so the wait here is only the backoff.
 * @throws whatever cannot be retried; the signal's reason when it is aborted
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryingOptions): Promise<T> {
  const { signal, log = SILENT, random = Math.random } = options
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof RestError) || !error.retryable) throw error
      const waitMs = backoffDelayMs(REST_BACKOFF, failures, random)
      log.warn(
        { error: error.message, failures, waitMs: Math.round(waitMs) },
        'the exchange did not answer, asking again',
      )
      await wait(waitMs, signal)
    }
  }
}
