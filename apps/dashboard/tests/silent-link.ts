import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Relays to a port of this machine, and can lose what is under way without telling anybody, as a router does that was started again. */
export interface SilentLink extends AsyncDisposable {
  readonly port: number
  /** From now on nothing passes on the connections that there are; new ones are relayed. */
  silence(): void
}

export async function startSilentLink(targetPort: number): Promise<SilentLink> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer({ noDelay: true }, incoming => {
    const outgoing = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const pair = [incoming, outgoing] as const
    pairs.add(pair)
    for (const socket of pair) socket.on('error', () => undefined).on('close', () => close(pair))
    incoming.pipe(outgoing).pipe(incoming)
  })
  const close = (pair: readonly [Socket, Socket]) => {
    for (const socket of pair) socket.destroy()
    pairs.delete(pair)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      for (const [incoming, outgoing] of pairs) {
        incoming.unpipe().pause()
        outgoing.unpipe().pause()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const pair of pairs) close(pair)
      server.close()
      await once(server, 'close')
    },
  }
}
