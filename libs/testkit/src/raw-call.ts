import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2'

/** What a server answered to a call. */
export interface RawAnswer {
  /** Of HTTP. */
  readonly httpStatus: number
  /** Of gRPC; undefined when the stream ended without one. */
  readonly code: number | undefined
  readonly message: string
  readonly body: Buffer
}

/** A gRPC call by hand: any path, any metadata, any bytes. The request ends with them; the answer is read to its end. */
export function rawCall(
  session: ClientHttp2Session,
  path: string,
  options: { body?: Uint8Array; headers?: OutgoingHttpHeaders } = {},
): Promise<RawAnswer> {
  return new Promise(resolve => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...options.headers,
    })
    let headers: Record<string, unknown> = {}
    const chunks: Buffer[] = []
    stream.on('response', received => {
      headers = { ...headers, ...received }
    })
    stream.on('trailers', received => {
      headers = { ...headers, ...received }
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      const code = headers['grpc-status']
      resolve({
        httpStatus: Number(headers[':status'] ?? 0),
        code: code === undefined ? undefined : Number(code),
        message: decodeURIComponent(String(headers['grpc-message'] ?? '')),
        body: Buffer.concat(chunks),
      })
    })
    stream.end(options.body ?? messageOf(Buffer.alloc(0)))
  })
}

/** A connection for raw calls; ends with the scope that holds it. */
export async function openRawSession(port: number): Promise<ClientHttp2Session & AsyncDisposable> {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve())
    session.once('error', reject)
  })
  return Object.assign(session, {
    async [Symbol.asyncDispose]() {
      session.destroy(undefined, constants.NGHTTP2_CANCEL)
    },
  })
}

/** Bytes as one message of gRPC: not compressed, with their length before them. */
export function messageOf(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** A field of protobuf that is a text or bytes shorter than 128, in a message made by hand. */
export function textField(field: number, text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text as string)
  return Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes])
}
