import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { answerParent } from '../../harness/bench-process.ts'
import { clientTextOf } from './client-frame.ts'
import { type Frames, frameOf, framesOf, pulseMessage } from './frames.ts'

/**
 * The exchange's end of a connection over a raw socket: all frames are ready, so that sending costs little and the receiver is what is
 * measured. The path says what the client wants.
 *
 * - `/stream`: a WebSocket; frames after the answer to the first SUBSCRIBE and a pulse.
 * - `/frames`: a WebSocket; frames at once.
 * - `/bytes`: frames at once, without any handshake.
 */

/** Written at a time: enough that the receiver never waits, and little of it in the kernel. */
const CHUNK_BYTES = 256 * 1024

/** Of RFC 6455. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export interface Sender {
  readonly port: number
  readonly frames: number
  readonly bytes: number
  readonly idSum: number
}

let frames: Frames
const server = createServer(socket => {
  // A receiver leaves when it has all; what is on its way to it then does not matter.
  socket.on('error', () => {})
  void serve(socket)
})

answerParent({
  open: async (count: number): Promise<Sender> => {
    frames = framesOf(count)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { port, frames: frames.count, bytes: frames.bytes.length, idSum: frames.idSum }
  },
})

async function serve(socket: Socket): Promise<void> {
  const head = await readUntil(socket, bytes => (bytes.includes('\r\n\r\n') ? bytes.toString() : undefined))
  const path = /^GET (\S+)/.exec(head)?.[1]
  if (path !== '/bytes') socket.write(handshakeOf(head))
  if (path === '/stream') {
    const request = JSON.parse(await readUntil(socket, clientTextOf)) as { id: number }
    socket.write(frameOf(JSON.stringify({ result: null, id: request.id })))
    socket.write(frameOf(pulseMessage()))
  }
  socket.resume()
  await writeAll(socket, frames.bytes)
}

/** Gathers what comes until `read` makes something of it. */
async function readUntil<Value>(socket: Socket, read: (bytes: Buffer) => Value | undefined): Promise<Value> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
    const value = read(bytes)
    if (value !== undefined) return value
  }
}

async function writeAll(socket: Socket, bytes: Buffer): Promise<void> {
  const closed = once(socket, 'close')
  for (let start = 0; start < bytes.length && !socket.destroyed; start += CHUNK_BYTES) {
    if (!socket.write(bytes.subarray(start, start + CHUNK_BYTES))) await Promise.race([once(socket, 'drain'), closed])
  }
}

function handshakeOf(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? ''
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}
