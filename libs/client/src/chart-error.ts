import { type RpcFailure, rpcFailureOf } from '@chart/grpc'

/** Status code of a failed call, by gRPC's name. */
export type ChartErrorCode = RpcFailure['code']

/** What to do, where the code alone tells. */
const ADVICE: Partial<Record<ChartErrorCode, string>> = {
  UNAUTHENTICATED: 'give a valid apiKey',
  PERMISSION_DENIED: 'use an apiKey that may do this',
  UNAVAILABLE: 'see whether an edge runs there',
  DEADLINE_EXCEEDED: 'try again later, or give a longer deadlineMs',
  UNIMPLEMENTED: 'the edge is older than this client',
}

/** A call that failed for good: calling again as it was would not help, or was tried for as long as was asked for. */
export class ChartError extends Error {
  override name = 'ChartError'
  readonly code: ChartErrorCode
  /** The edge's own words; those of the connection when there was no edge. */
  readonly details: string
  /** As it was given. */
  readonly address: string

  constructor({ code, details }: RpcFailure, address: string, options?: ErrorOptions) {
    const advice = ADVICE[code]
    super(`${details} (${code} from ${address}${advice === undefined ? '' : `; ${advice}`})`, options)
    this.code = code
    this.details = details
    this.address = address
  }
}

/** What a rejected call is to the caller: a ChartError, or the error itself when it is none of a call. */
export function chartErrorOf(error: unknown, address: string): unknown {
  const failure = rpcFailureOf(error)
  return failure === undefined ? error : new ChartError(failure, address, { cause: error })
}
