import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server on which bytes can stop, and replies be lost. */
export interface FaultyLink extends AsyncDisposable {
  readonly port: number
  /** Connections made so far. */
  readonly connections: number
  /** From now on no byte passes on the connections that there are; nobody is told. New ones are fine. */
  stall(): void
  /** Passes the commands of the connections that there are, and cuts each of them when its next reply comes. */
  loseReplies(): void
  /** To whom it leads, for a server that can only be started when the link's port is known. */
  leadTo(port: number): void
}

interface Line {
  readonly near: Socket
  readonly far: Socket
  mode: 'passing' | 'stalled' | 'losing replies'
}

export async function openFaultyLink(port = 0): Promise<FaultyLink> {
  const lines = new Set<Line>()
  let target = port
  let connections = 0
  const server = createServer(near => {
    connections++
    const line: Line = { near, far: connect(target, '127.0.0.1'), mode: 'passing' }
    const { far } = line
    lines.add(line)
    near.on('data', bytes => line.mode !== 'stalled' && far.write(bytes))
    far.on('data', bytes => {
      if (line.mode === 'passing') near.write(bytes)
      if (line.mode === 'losing replies') near.destroy()
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined)
      one.on('close', () => {
        lines.delete(line)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const setAll = (mode: Line['mode']) => {
    for (const line of lines) line.mode = mode
  }
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    stall: () => setAll('stalled'),
    loseReplies: () => setAll('losing replies'),
    leadTo(to) {
      target = to
    },
    async [Symbol.asyncDispose]() {
      for (const { near } of lines) near.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
