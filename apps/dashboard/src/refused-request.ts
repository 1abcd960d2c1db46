/** When asking again may help after trouble behind us, in seconds. */
const AGAIN_S = 2

/** A request that is answered with an error: what is wrong, and what to do. The text is shown to whoever asked; the cause is not. */
export class RefusedRequest extends Error {
  override name = 'RefusedRequest'
  readonly status: 400 | 404 | 405 | 414 | 503
  /** Seconds after which asking again may help. */
  readonly retryAfter: number | undefined

  constructor(
    status: RefusedRequest['status'],
    message: string,
    { retryAfter, ...options }: ErrorOptions & { readonly retryAfter?: number } = {},
  ) {
    super(message, options)
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** No edge has told the bars. */
export class HistoryUnavailableError extends RefusedRequest {
  override name = 'HistoryUnavailableError'

  constructor(cause: unknown) {
    super(503, 'history cannot be read just now; try again in a few seconds', { retryAfter: AGAIN_S, cause })
  }
}

/** Redis has not told what is served, or the live bars. */
export class RedisTroubleError extends RefusedRequest {
  override name = 'RedisTroubleError'

  constructor(cause: unknown) {
    super(503, 'bars cannot be read just now; try again in a few seconds', { retryAfter: AGAIN_S, cause })
  }
}
