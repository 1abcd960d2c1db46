import type { ServerWritableStream } from '@grpc/grpc-js'
import type { StreamBarsRequest } from './messages.ts'
import type { RpcError } from './rpc-error.ts'

/** One StreamBars call, seen from the server. */
export interface BarStream {
  /**
   * Sends ready bytes of a `StreamBarsResponse`. False when the client does not keep up: write no more until `onDrain`,
   * since grpc-js would keep everything in memory.
   */
  write(response: Uint8Array): boolean
  onDrain(listener: () => void): void
  /** Called once, however the call ends. */
  onClose(listener: () => void): void
  /** Ends the call. */
  fail(error: RpcError): void
}

export function barStreamOf(call: ServerWritableStream<StreamBarsRequest, Uint8Array>): BarStream {
  let closed = false
  const closeListeners: (() => void)[] = []
  const close = () => {
    if (closed) return
    closed = true
    for (const listener of closeListeners) listener()
  }
  call.on('cancelled', close)
  call.on('close', close)
  call.on('error', close)
  return {
    write: response => !closed && call.write(response),
    onDrain: listener => call.on('drain', listener),
    onClose(listener) {
      if (closed) listener()
      else closeListeners.push(listener)
    },
    fail(error) {
      if (closed) return
      call.emit('error', error)
      close()
    },
  }
}
