/** A call of which only the method and the metadata are known. */
export interface IncomingCall {
  /** Full path, one of those that the server has: `/chart.v1.ChartService/StreamBars`. */
  readonly method: string
  /** Address and port of the connection. */
  readonly peer: string
  /** Whom the peer's address stands for (addressKeyOf). */
  readonly address: string
  /** Values of the metadata `authorization`. */
  readonly authorization: readonly string[]
}

/** A call that may go on. */
export interface Admission {
  /** Of the API key; for logs. */
  readonly keyId?: string | undefined
  /** Looks at each message of the request before it is served. @throws RpcError when it is not for this caller */
  checkMessage(message: unknown): void
  /** Called once when the call has ended, however it did. */
  release(): void
}

/** Decides who may call what, and how often. */
export interface CallGuard {
  /** @throws RpcError when the call is refused */
  admit(call: IncomingCall): Admission
}

/** How a call ended. */
export interface CallEnd {
  readonly method: string
  readonly peer: string
  readonly keyId: string | undefined
  /** `OK`, or a name of gRPC's codes. Of what grpc-js itself refuses (a message that is too large) only that it ended: `CANCELLED`. */
  readonly code: string
  readonly ms: number
  /** Of a call that was refused before it was served: what the caller was told. */
  readonly refusal: string | undefined
}

/** Lets everybody do everything: for a server that is reached by friends alone. */
export const OPEN_GUARD: CallGuard = {
  admit: () => ({ checkMessage() {}, release() {} }),
}
