import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * As much of HTTP/2 and gRPC as a client needs that counts what it is sent. A whole client spends more on a message than the server that is
 * measured, on the same machine.
 */

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
const FRAME_HEADER_BYTES = 9
/** Before each gRPC message: a flag and its length. */
const MESSAGE_HEADER_BYTES = 5

const TYPE = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const
const FLAG_END_STREAM = 0x1
const FLAG_ACK = 0x1
const FLAG_END_HEADERS = 0x4

const WINDOW_MAX_BYTES = 2 ** 31 - 1
const WINDOW_DEFAULT_BYTES = 65_535
/** Credit is given back when this much was used, so that it is never short. */
const CREDIT_BYTES = 2 ** 29

export interface RawConnectionOptions {
  readonly port: number
  /** False: no credit is ever given, so after 64 KiB the server may send nothing more; pings are answered. */
  readonly reads: boolean
  /** The server has taken a call. */
  onBegin(): void
  /** One gRPC message: bytes `from` to `to`, valid during the call. */
  onMessage(stream: number, bytes: Buffer, from: number, to: number): void
  /** A call has ended, or with it the whole connection. */
  onEnd(): void
}

/** One connection with calls that never end by themselves. */
export class RawConnection {
  readonly #options: RawConnectionOptions
  readonly #socket: Socket
  #rest: Buffer | undefined
  #nextStream = 1
  /** Begun messages, by stream. */
  readonly #begun = new Map<number, Buffer>()
  readonly #used = new Map<number, number>()

  private constructor(options: RawConnectionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#takeAll(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => options.onEnd())
  }

  static async open(options: RawConnectionOptions): Promise<RawConnection> {
    const socket = connect(options.port, '127.0.0.1')
    await once(socket, 'connect')
    const connection = new RawConnection(options, socket)
    socket.write(PREFACE)
    connection.#greet()
    return connection
  }

  /** Begins a call with one request. */
  call(path: string, request: Uint8Array): void {
    const stream = this.#nextStream
    this.#nextStream += 2
    this.#send(TYPE.headers, FLAG_END_HEADERS, stream, headersOf(path))
    const message = Buffer.alloc(MESSAGE_HEADER_BYTES + request.length)
    message.writeUInt32BE(request.length, 1)
    message.set(request, MESSAGE_HEADER_BYTES)
    this.#send(TYPE.data, FLAG_END_STREAM, stream, message)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** No pushes; and all the credit there can be, for each stream and for all of them. */
  #greet(): void {
    const settings = Buffer.alloc(this.#options.reads ? 12 : 6)
    settings.writeUInt16BE(2, 0)
    if (this.#options.reads) {
      settings.writeUInt16BE(4, 6)
      settings.writeUInt32BE(WINDOW_MAX_BYTES, 8)
    }
    this.#send(TYPE.settings, 0, 0, settings)
    if (this.#options.reads) this.#giveCredit(0, WINDOW_MAX_BYTES - WINDOW_DEFAULT_BYTES)
  }

  #giveCredit(stream: number, bytes: number): void {
    const credit = Buffer.alloc(4)
    credit.writeUInt32BE(bytes)
    this.#send(TYPE.windowUpdate, 0, stream, credit)
  }

  #send(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length)
    frame.writeUIntBE(payload.length, 0, 3)
    frame.writeUInt8(type, 3)
    frame.writeUInt8(flags, 4)
    frame.writeUInt32BE(stream, 5)
    frame.set(payload, FRAME_HEADER_BYTES)
    this.#socket.write(frame)
  }

  #takeAll(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      this.#take(bytes, at, end)
      at = end
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at)
  }

  #take(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3]
    const flags = bytes[at + 4]!
    const stream = bytes.readUInt32BE(at + 5)
    const start = at + FRAME_HEADER_BYTES
    if (type === TYPE.data) this.#takeData(stream, bytes, start, end)
    else if (type === TYPE.settings && (flags & FLAG_ACK) === 0) this.#send(TYPE.settings, FLAG_ACK, 0, Buffer.alloc(0))
    else if (type === TYPE.ping && (flags & FLAG_ACK) === 0) this.#send(type, FLAG_ACK, 0, bytes.subarray(start, end))
    const isEnd =
      type === TYPE.headers || type === TYPE.data ? (flags & FLAG_END_STREAM) !== 0 : type === TYPE.rstStream
    if (isEnd || type === TYPE.goAway) this.#options.onEnd()
    else if (type === TYPE.headers) this.#options.onBegin()
  }

  #takeData(stream: number, bytes: Buffer, start: number, end: number): void {
    if (this.#options.reads) {
      this.#use(0, end - start)
      this.#use(stream, end - start)
    }
    const begun = this.#begun.get(stream)
    const data = begun === undefined ? bytes : Buffer.concat([begun, bytes.subarray(start, end)])
    let at = begun === undefined ? start : 0
    const dataEnd = begun === undefined ? end : data.length
    while (dataEnd - at >= MESSAGE_HEADER_BYTES) {
      const from = at + MESSAGE_HEADER_BYTES
      const to = from + data.readUInt32BE(at + 1)
      if (to > dataEnd) break
      this.#options.onMessage(stream, data, from, to)
      at = to
    }
    if (at < dataEnd) this.#begun.set(stream, Buffer.from(data.subarray(at, dataEnd)))
    else if (begun !== undefined) this.#begun.delete(stream)
  }

  #use(stream: number, bytes: number): void {
    const used = (this.#used.get(stream) ?? 0) + bytes
    this.#used.set(stream, used < CREDIT_BYTES ? used : 0)
    if (used >= CREDIT_BYTES) this.#giveCredit(stream, used)
  }
}

/** The headers of a call, none of them in the table of HPACK that both sides would have to keep. */
function headersOf(path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
  return Buffer.concat([
    // :method POST and :scheme http, then the names :path, :authority and content-type, by their numbers in HPACK's own table.
    Buffer.from([0x83, 0x86, 0x04]),
    text(path),
    Buffer.from([0x01]),
    text('127.0.0.1'),
    Buffer.from([0x0f, 0x10]),
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ])
}
