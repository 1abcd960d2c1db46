import { createServer } from 'node:net'

/**
 * A port of the loopback interface that nobody listens on at this moment. Somebody may take it before the caller
 * does, so a server started on it must be prepared to try another.
 */
export function freePort(): Promise<number> {
  return listenOnce(0)
}

/** Whether `port` of the loopback interface can be listened on right now. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port)
    return true
  } catch {
    return false
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('the probe has no port'))
        else resolve(address.port)
      })
    })
  })
}
