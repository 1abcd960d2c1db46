import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { AddressBudgets, addressKeyOf, type ConnectionRefusal } from './address-budgets.ts'
import { awaitPreface } from './http2-preface.ts'
import type { ServerLimits } from './server-limits.ts'
import { type TlsMaterial, tlsOptionsOf } from './tls-material.ts'
import { TokenBucket } from './token-bucket.ts'

/** Why a connection was not taken, or was cut. A label of metrics, so these are all. */
export type ConnectionEnd =
  | ConnectionRefusal
  | 'TLS failed'
  | 'not HTTP/2'
  | 'silent'
  | 'sends too much'
  | 'too many calls refused'
  | 'does not read'

export interface ConnectionGateOptions {
  readonly host: string
  readonly port: number
  readonly limits: ServerLimits
  readonly tls?: TlsMaterial | undefined
  /** A connection that is what it should be; its first bytes wait in it. */
  onConnection(socket: Socket): void
  /** `detail` is for people, and may be what the peer's TLS said. */
  onEnd(peer: string, reason: ConnectionEnd, detail?: string): void
  /** Accepting failed, as when no file handles are left. */
  onError(error: unknown): void
}

/**
 * Connections that wait to be accepted. With Node's 511 a restart under 2,000 clients that come at once overflowed the queue of the
 * kernel, and whoever did not fit tried again after a second or three. The kernel's own bound (net.core.somaxconn) is 4,096.
 */
const BACKLOG = 4_096
/** How often each connection is looked at: how much it has sent, and whether it goes when it has been ended. */
const LOOK_MS = 2_000

interface Connection {
  readonly address: string
  /** The one that speaks: with TLS the one above the first. */
  socket: Socket
  /** Runs out unless the connection speaks HTTP/2 by then. */
  readonly silence: NodeJS.Timeout
  isEstablished: boolean
  /** We have ended it, and the other side had not at the last look. */
  isEnding: boolean
  readonly received: TokenBucket
  receivedBytes: number
  readonly refusedCalls: TokenBucket
}

/** A connection whose calls are refused more often belongs to no client that waits as it is told. */
const REFUSED_CALLS_RATE = { perSecond: 1, burst: 100 }

/**
 * Accepts connections, so that what costs nothing to refuse is refused before TLS and HTTP/2 have cost anything: too many, too fast,
 * silent, and whatever does not speak HTTP/2. It knows every connection until it is closed.
 */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions
  readonly #budgets: AddressBudgets
  readonly #listener: Server
  readonly #tls: TlsServer | undefined
  readonly #connections = new Map<string, Connection>()
  readonly #look: NodeJS.Timeout
  readonly #emptied = Promise.withResolvers<void>()
  #isClosing = false

  private constructor(options: ConnectionGateOptions) {
    this.#options = options
    this.#budgets = new AddressBudgets(options.limits)
    this.#tls = options.tls && this.#createTls(options.tls)
    this.#listener = createServer({ noDelay: true }, socket => this.#accept(socket))
    this.#look = setInterval(() => this.#lookAtAll(), LOOK_MS).unref()
  }

  /** @throws when the port is taken, naming it, or the TLS material cannot be used */
  static async open(options: ConnectionGateOptions): Promise<ConnectionGate> {
    const { host, port } = options
    const gate = new ConnectionGate(options)
    await new Promise<void>((resolve, reject) => {
      gate.#listener.once('error', cause => {
        clearInterval(gate.#look)
        const what = `gRPC port ${host}:${port} cannot be used (${cause.message}); set GRPC_PORT to a free one`
        reject(new Error(what, { cause }))
      })
      gate.#listener.listen({ host, port, backlog: BACKLOG }, resolve)
    })
    gate.#listener.on('error', error => options.onError(error))
    return gate
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#budgets.connections
  }

  /** From the next connection on. @throws Error when it cannot be used; the former stays */
  updateTls(material: TlsMaterial): void {
    if (this.#tls === undefined) throw new Error('the server was started without TLS')
    this.#tls.setSecureContext(tlsOptionsOf(material))
  }

  /** Whether the address of this peer may begin one more call. */
  mayCall(peer: string): boolean {
    const connection = this.#connections.get(peer)
    return connection === undefined || this.#budgets.call(connection.address, Date.now())
  }

  /** A call of this peer was refused; who does not stop is cut. */
  noteRefusedCall(peer: string): void {
    const connection = this.#connections.get(peer)
    if (connection !== undefined && !connection.refusedCalls.take(Date.now())) this.cut(peer, 'too many calls refused')
  }

  cut(peer: string, reason: ConnectionEnd, detail?: string): void {
    const connection = this.#connections.get(peer)
    if (connection === undefined || connection.socket.destroyed) return
    this.#options.onEnd(peer, reason, detail)
    connection.socket.destroy()
  }

  /** No new connections. Those that speak HTTP/2 stay. */
  stopAccepting(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#listener.close()
    for (const { socket, isEstablished } of this.#connections.values()) if (!isEstablished) socket.destroy()
    if (this.#connections.size === 0) this.#emptied.resolve()
  }

  /** Resolves when the last connection has ended, after `stopAccepting`. */
  emptied(): Promise<void> {
    return this.#emptied.promise
  }

  /** Ends everything. */
  destroy(): void {
    clearInterval(this.#look)
    this.stopAccepting()
    for (const { socket } of this.#connections.values()) socket.destroy()
  }

  #createTls(material: TlsMaterial): TlsServer {
    const { establishTimeoutMs } = this.#options.limits
    const mutual = material.clientCa !== undefined
    const server = createTlsServer({
      ...tlsOptionsOf(material),
      ALPNProtocols: ['h2'],
      handshakeTimeout: establishTimeoutMs,
      requestCert: mutual,
      rejectUnauthorized: mutual,
    })
    server.on('secureConnection', socket => this.#establish(socket))
    server.on('tlsClientError', (error, socket) => {
      // It has told the client why, where TLS has words for it.
      this.cut(peerOf(socket), 'TLS failed', error.message)
      socket.destroy()
    })
    return server
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined)
    // Gone again already.
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    const address = addressKeyOf(socket.remoteAddress)
    const refusal = this.#budgets.connect(address, Date.now())
    if (refusal !== undefined) {
      this.#options.onEnd(peer, refusal)
      // A reset leaves nothing behind with us; a polite end would, for a minute each.
      socket.resetAndDestroy()
      return
    }
    const { receivedBytesRate, establishTimeoutMs } = this.#options.limits
    const received = new TokenBucket(receivedBytesRate, Date.now())
    const silence = setTimeout(() => this.cut(peer, 'silent'), establishTimeoutMs).unref()
    this.#connections.set(peer, {
      address,
      socket,
      silence,
      isEstablished: false,
      isEnding: false,
      received,
      receivedBytes: 0,
      refusedCalls: new TokenBucket(REFUSED_CALLS_RATE, Date.now()),
    })
    socket.once('close', () => {
      clearTimeout(silence)
      this.#connections.delete(peer)
      this.#budgets.disconnect(address, Date.now())
      if (this.#isClosing && this.#connections.size === 0) this.#emptied.resolve()
    })
    if (this.#tls === undefined) this.#establish(socket)
    else this.#tls.emit('connection', socket)
  }

  #establish(socket: Socket | TLSSocket): void {
    const peer = peerOf(socket)
    const connection = this.#connections.get(peer)
    if (connection === undefined) {
      socket.destroy()
      return
    }
    connection.socket = socket
    socket.on('error', () => undefined)
    awaitPreface(socket, begins => {
      if (!begins) {
        this.cut(peer, 'not HTTP/2')
        return
      }
      clearTimeout(connection.silence)
      connection.isEstablished = true
      this.#options.onConnection(socket)
    })
  }

  #lookAtAll(): void {
    const now = Date.now()
    for (const [peer, connection] of this.#connections) {
      const total = connection.socket.bytesRead ?? 0
      const bytes = total - connection.receivedBytes
      connection.receivedBytes = total
      // A peer that never ends its side would keep the connection for as long as it likes.
      if (connection.isEnding) connection.socket.destroy()
      connection.isEnding = connection.socket.writableEnded
      if (bytes > 0 && !connection.received.take(now, bytes)) this.cut(peer, 'sends too much')
    }
  }
}

/** As grpc-js names it, so that a call finds its connection. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`
}
