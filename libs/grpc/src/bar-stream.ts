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

/**
 * A client that has not taken the end of its call after this long does not read. What was written for it would lie here for as long as
 * it answers pings.
 */
export const LINGER_MS = 60_000

/** @param cut ends the connection of a client that does not read */
export function barStreamOf(call: ServerWritableStream<StreamBarsRequest, Uint8Array>, cut: () => void): BarStream {
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
      // grpc-js sends the end when everything before it has been taken, and says "cancelled" when the end has.
      const linger = setTimeout(cut, LINGER_MS).unref()
      call.once('cancelled', () => clearTimeout(linger))
      call.emit('error', error)
      close()
    },
  }
}
