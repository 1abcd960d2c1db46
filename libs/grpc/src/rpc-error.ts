import { status } from '@grpc/grpc-js'

/** Why a call was refused or ended: the codes that the API documents. */
export type RpcCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'

/** Ends a call with a code and a message for the caller. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly rpcCode: RpcCode

  constructor(rpcCode: RpcCode, message: string) {
    super(message)
    this.rpcCode = rpcCode
  }

  /** As grpc-js sends it. */
  get code(): status {
    return status[this.rpcCode]
  }

  get details(): string {
    return this.message
  }
}
