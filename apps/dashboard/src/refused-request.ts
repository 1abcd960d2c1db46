/** A request that is answered with an error: what is wrong, and what to do. The text is shown to whoever asked. */
export class RefusedRequest extends Error {
  override name = 'RefusedRequest'
  readonly status: 400 | 404 | 405 | 414 | 503
  /** Seconds after which asking again may help. */
  readonly retryAfter: number | undefined

  constructor(status: RefusedRequest['status'], message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}
