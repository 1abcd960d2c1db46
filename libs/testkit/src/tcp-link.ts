import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A link to a server that a test can count, cut and close. */
export interface TcpLink extends AsyncDisposable {
  /** `host:port` */
  readonly address: string
  readonly port: number
  /** Connections open now. */
  readonly connections: number
  /** Breaks every connection; new ones can be made. */
  cut(): void
  /** Breaks the connection that carries it after this many more bytes from the server, in the middle of whatever that is. */
  cutAfter(bytes: number): void
  /** From now on new connections go to this port; undefined: they break at once. */
  retarget(port: number | undefined): void
  /** Breaks every connection and refuses new ones, as a process that was killed. */
  close(): Promise<void>
}

/**
 * Relays bytes to a port of this machine.
 * @param host any 127.x.y.z, so that several links can share one port
 */
export async function startTcpLink(targetPort: number, { host = '127.0.0.1', port = 0 } = {}): Promise<TcpLink> {
  const link = new Link(targetPort)
  const server = createServer({ noDelay: true }, incoming => link.relay(incoming))
  server.listen(port, host)
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    link.cut()
    await closed
  }
  return {
    address: `${host}:${bound}`,
    port: bound,
    get connections() {
      return link.connections
    },
    cut: () => link.cut(),
    cutAfter: bytes => link.cutAfter(bytes),
    retarget: target => link.retarget(target),
    close,
    [Symbol.asyncDispose]: close,
  }
}

class Link {
  readonly #pairs = new Map<Socket, Socket>()
  #targetPort: number | undefined
  #bytesLeft = Number.POSITIVE_INFINITY

  constructor(targetPort: number) {
    this.#targetPort = targetPort
  }

  get connections(): number {
    return this.#pairs.size
  }

  retarget(port: number | undefined): void {
    this.#targetPort = port
  }

  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  cut(): void {
    for (const incoming of [...this.#pairs.keys()]) this.#break(incoming)
  }

  relay(incoming: Socket): void {
    if (this.#targetPort === undefined) {
      incoming.resetAndDestroy()
      return
    }
    const outgoing = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true })
    this.#pairs.set(incoming, outgoing)
    for (const socket of [incoming, outgoing]) {
      socket.on('error', () => undefined)
      socket.on('close', () => this.#break(incoming))
    }
    incoming.pipe(outgoing)
    outgoing.on('data', bytes => this.#pass(bytes, incoming, outgoing))
    incoming.on('drain', () => outgoing.resume())
  }

  #pass(bytes: Buffer, incoming: Socket, outgoing: Socket): void {
    const whole = bytes.length <= this.#bytesLeft
    const flows = incoming.write(whole ? bytes : bytes.subarray(0, this.#bytesLeft))
    this.#bytesLeft -= bytes.length
    if (!whole) {
      this.#bytesLeft = Number.POSITIVE_INFINITY
      // What was written before is still to arrive.
      incoming.destroySoon()
      outgoing.destroy()
    } else if (!flows) outgoing.pause()
  }

  #break(incoming: Socket): void {
    this.#pairs.get(incoming)?.destroy()
    this.#pairs.delete(incoming)
    if (!incoming.destroyed) incoming.resetAndDestroy()
  }
}
