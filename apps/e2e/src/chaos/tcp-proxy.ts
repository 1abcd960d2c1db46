import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HeldPipe } from './held-pipe.ts'

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly pipes: readonly HeldPipe[]
}

/**
 * The network between one process and its Redis. It can be cut, or go silent: then the bytes of both directions are held back and
 * delivered later, also when the process has hung up meanwhile, as the packets of a partitioned or dead process arrive at last.
 */
export class TcpProxy implements AsyncDisposable {
  readonly port: number
  readonly #listener: Server
  readonly #targetPort: number
  readonly #links = new Set<Link>()
  #stalls = 0

  private constructor(listener: Server, targetPort: number) {
    this.#listener = listener
    this.#targetPort = targetPort
    this.port = (listener.address() as AddressInfo).port
    listener.on('connection', client => this.#accept(client))
  }

  static async open(targetPort: number): Promise<TcpProxy> {
    const listener = createServer()
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    return new TcpProxy(listener, targetPort)
  }

  /** Every connection breaks off. Gives how many there were. */
  cut(): number {
    const links = [...this.#links]
    for (const { client, server } of links) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    return links.length
  }

  /** Nothing passes for `ms`, neither on the connections there are nor on new ones; then everything does. */
  async stall(ms: number): Promise<void> {
    this.#stalls++
    for (const { pipes } of this.#links) for (const pipe of pipes) pipe.hold()
    await sleep(ms)
    this.#stalls--
    if (this.#stalls === 0) for (const { pipes } of this.#links) for (const pipe of pipes) pipe.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#listener.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    const link = { client, server, pipes: [new HeldPipe(client, server), new HeldPipe(server, client)] }
    this.#links.add(link)
    if (this.#stalls > 0) for (const pipe of link.pipes) pipe.hold()
    let open = 2
    for (const socket of [client, server]) {
      // Its close follows and is passed on.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open--
        if (open === 0) this.#links.delete(link)
      })
    }
  }
}
