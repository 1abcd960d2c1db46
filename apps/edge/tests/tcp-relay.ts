import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** An address whose connections go to whatever port it is told, and can be cut. */
export class TcpRelay implements AsyncDisposable {
  readonly port: number
  /** Where connections that are opened from now on go. */
  target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, target: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.target = target
    server.on('connection', near => this.#relay(near))
  }

  static async open(target: number): Promise<TcpRelay> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpRelay(server, target)
  }

  /** Every connection breaks off, with whatever is under way. Gives how many there were. */
  cut(): number {
    const count = this.#sockets.size / 2
    for (const socket of this.#sockets) socket.resetAndDestroy()
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #relay(near: Socket): void {
    const far = connect(this.target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.pipe(to)
      // Its close follows.
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
