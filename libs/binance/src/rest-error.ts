/** Why a REST call failed, and whether asking again can help. */
export class RestError extends Error {
  override name = 'RestError'
  /** HTTP status; 0 when there was no whole answer (network, timeout, too many waiting here). */
  readonly status: number
  /** The exchange's own number, such as −1121 for an unknown symbol. */
  readonly code: number | undefined
  /** The exchange asks for this pause (429, 418). This package keeps it by itself; the caller only needs to ask again. */
  readonly retryAfterMs: number | undefined
  readonly #malformed: boolean

  constructor(
    message: string,
    details: { status: number; code?: number; retryAfterMs?: number; malformed?: boolean; cause?: unknown },
  ) {
    super(message, { cause: details.cause })
    this.status = details.status
    this.code = details.code
    this.retryAfterMs = details.retryAfterMs
    this.#malformed = details.malformed ?? false
  }

  /**
   * True for what passes: network, timeout, a server's fault, limits, and an answer that was no proper one (a proxy's page, a cut
   * body). False for what stays wrong, such as an unknown symbol.
   */
  get retryable(): boolean {
    const { status } = this
    return this.#malformed || status === 0 || status >= 500 || isLimit(status) || status === 408
  }
}

/** The exchange has no such symbols. Asking again does not help. */
export class UnknownSymbolError extends Error {
  override name = 'UnknownSymbolError'
  readonly symbols: readonly string[]

  constructor(symbols: readonly string[], options?: ErrorOptions) {
    super(
      `the exchange has no symbol ${symbols.map(symbol => JSON.stringify(symbol.slice(0, 40))).join(', ')}`,
      options,
    )
    this.symbols = symbols
  }
}

/** 429: over the weight; 418: banned for going on after 429; 403: the firewall before the API. All mean stop asking. */
export const STOP_STATUSES: readonly number[] = [429, 418, 403]

export function isLimit(status: number): boolean {
  return STOP_STATUSES.includes(status)
}
