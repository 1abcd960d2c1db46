import type { Socket } from 'node:net'

/** The first bytes of every HTTP/2 connection (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * Calls `done` once with whether the connection begins as HTTP/2 does; its bytes are then back in the socket. What begins otherwise
 * never reaches the parser.
 */
export function awaitPreface(socket: Socket, done: (begins: boolean) => void): void {
  let received: Buffer = Buffer.alloc(0)
  const onReadable = () => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    }
    const length = Math.min(received.length, PREFACE.length)
    const begins = PREFACE.compare(received, 0, length, 0, length) === 0
    if (begins && length < PREFACE.length) return
    socket.removeListener('readable', onReadable)
    if (begins) socket.unshift(received)
    done(begins)
  }
  socket.on('readable', onReadable)
}
