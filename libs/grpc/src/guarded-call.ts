import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
  status,
} from '@grpc/grpc-js'
import { addressKeyOf } from './address-budgets.ts'
import { LINGER_MS } from './bar-stream.ts'
import type { Admission, CallEnd, CallGuard } from './call-guard.ts'
import type { ConnectionGate } from './connection-gate.ts'
import { MALFORMED } from './proto.ts'
import { RpcError } from './rpc-error.ts'

/** Messages of one call: only reflection takes several, a question each, and answers without waiting for the reader. */
const MESSAGES_MAX = 100

export interface CallHooks {
  readonly guard: CallGuard
  readonly gate: Pick<ConnectionGate, 'mayCall' | 'noteRefusedCall' | 'cut'>
  /** Told of what was thrown and is nobody's answer. */
  onError(error: unknown): void
  onEnd(end: CallEnd): void
}

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0]
type PartialStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0]

/** Stands before every method of a server: limits, keys, recovery, and the report of each call's end. */
export function guardCalls(hooks: CallHooks): ServerInterceptor {
  return (definition, call) => new GuardedCall(definition, call, hooks)
}

/**
 * One layer does all of it: each layer of grpc-js' own interceptors would take part in every message of every stream. Messages to the
 * client pass straight through.
 */
class GuardedCall extends ServerInterceptingCall {
  readonly #next: ServerInterceptingCallInterface
  readonly #hooks: CallHooks
  readonly #method: string
  readonly #peer: string
  readonly #streams: boolean
  readonly #isTooFast: boolean
  readonly #startTime = performance.now()
  #admission: Admission | undefined
  #messages = 0
  #code: string | undefined
  #refusal: string | undefined
  #isOver = false
  #linger: NodeJS.Timeout | undefined

  constructor(definition: Parameters<ServerInterceptor>[0], next: ServerInterceptingCallInterface, hooks: CallHooks) {
    super(next)
    this.#next = next
    this.#hooks = hooks
    this.#method = definition.path
    this.#streams = definition.responseStream
    this.#peer = next.getPeer()
    // Here rather than at the start, which a call that is reset at once never reaches.
    this.#isTooFast = !hooks.gate.mayCall(this.#peer)
    if (this.#isTooFast) hooks.gate.noteRefusedCall(this.#peer)
  }

  override start(listener: Listener): void {
    this.#next.start({
      onReceiveMetadata: metadata =>
        this.#attempt(() => {
          this.#admission = this.#admit(metadata)
          listener.onReceiveMetadata(metadata)
        }),
      onReceiveMessage: message =>
        this.#attempt(() => {
          this.#checkMessage(message)
          listener.onReceiveMessage(message)
        }),
      onReceiveHalfClose: () => this.#attempt(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        this.#attempt(() => listener.onCancel())
        this.#end()
      },
    })
  }

  override sendMetadata(metadata: Metadata): void {
    if (this.#code === undefined) this.#next.sendMetadata(metadata)
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#code !== undefined) return
    if (!this.#streams) this.#cutUnlessRead()
    this.#next.sendMessage(message, callback)
  }

  override sendStatus(answer: PartialStatus): void {
    if (this.#code !== undefined) return
    // What a handler threw under the hands of grpc-js.
    const told: PartialStatus = answer.code === status.UNKNOWN ? FAILED : answer
    this.#code = status[told.code ?? status.OK]
    this.#cutUnlessRead()
    this.#next.sendStatus(told)
  }

  /** Once the last that this call has to say is on its way. */
  #cutUnlessRead(): void {
    this.#linger ??= setTimeout(() => this.#hooks.gate.cut(this.#peer, 'does not read'), LINGER_MS).unref()
  }

  #admit(metadata: Metadata): Admission {
    if (this.#isTooFast) {
      throw new RpcError('RESOURCE_EXHAUSTED', 'too many calls from your address; make fewer, or wait a second')
    }
    return this.#hooks.guard.admit({
      method: this.#method,
      peer: this.#peer,
      address: addressKeyOf(this.#next.getConnectionInfo().remoteAddress ?? 'unknown'),
      authorization: metadata.get('authorization').map(String),
    })
  }

  #checkMessage(message: unknown): void {
    if (message === MALFORMED) {
      throw new RpcError('INVALID_ARGUMENT', 'the request is not a message of this method; see chart/v1/chart.proto')
    }
    if (++this.#messages > MESSAGES_MAX) {
      throw new RpcError('RESOURCE_EXHAUSTED', `more than ${MESSAGES_MAX} messages in one call; make another`)
    }
    this.#admission?.checkMessage(message)
  }

  /** Whatever happens in a call ends at most this call. */
  #attempt(work: () => void): void {
    if (this.#refusal !== undefined && !this.#isOver) return
    try {
      work()
    } catch (error) {
      if (error instanceof RpcError) this.#refuse(error)
      else {
        this.#hooks.onError(error)
        this.sendStatus(FAILED)
      }
    }
  }

  #refuse(error: RpcError): void {
    this.#refusal = error.message
    this.sendStatus({ code: error.code, details: error.message })
    if (!this.#isTooFast) this.#hooks.gate.noteRefusedCall(this.#peer)
  }

  /** grpc-js says "cancelled" once at the end of every call that has started. */
  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#linger)
    this.#admission?.release()
    const deadline = this.#next.getDeadline()
    this.#hooks.onEnd({
      method: this.#method,
      peer: this.#peer,
      keyId: this.#admission?.keyId,
      code: this.#code ?? (Number(deadline) <= Date.now() ? 'DEADLINE_EXCEEDED' : 'CANCELLED'),
      ms: performance.now() - this.#startTime,
      refusal: this.#refusal,
    })
  }
}

const FAILED: Pick<StatusObject, 'code' | 'details'> = {
  code: status.INTERNAL,
  details: 'the service failed at this call; try again',
}
