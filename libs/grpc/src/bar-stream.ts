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
 * What may wait in grpc-js for one client. It counts messages and would take 16 of them, which are up to 1 MiB each when many symbols
 * trade at once; a client that is slower than this is better served with the newest bars than with a backlog.
 */
const WAITING_BYTES_MAX = 256 * 1024

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
  let waitingBytes = 0
  let isFull = false
  const drainListeners: (() => void)[] = []
  // Called for each message once HTTP/2 has taken it.
  const onTaken = (bytes: number) => {
    waitingBytes -= bytes
    if (!isFull || waitingBytes > 0) return
    isFull = false
    for (const listener of drainListeners) listener()
  }
  return {
    write(response) {
      if (closed) return false
      waitingBytes += response.length
      const takesMore = call.write(response, () => onTaken(response.length))
      isFull = isFull || !takesMore || waitingBytes > WAITING_BYTES_MAX
      return !isFull
    },
    onDrain: listener => void drainListeners.push(listener),
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
